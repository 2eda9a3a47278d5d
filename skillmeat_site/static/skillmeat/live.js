// A page about work that goes on shows how far it is. While #live has data-progress, that address is asked once a
// second for the same element anew; one without data-progress means that the work has ended, and the page is loaded
// once more. Nothing is asked while nobody looks.
const SECOND = 1000;

async function look(shown) {
  if (!document.hidden) {
    const answer = await fetch(shown.dataset.progress).catch(() => null);
    if (answer?.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      if (!fresh?.dataset.progress) return location.reload();
      show(shown, fresh);
    }
  }
  setTimeout(look, SECOND, shown);
}

// Only what differs is replaced, so that focus stays where it is and readers are told of changes alone.
function show(shown, fresh) {
  const old = [...shown.children], now = [...fresh.children];
  if (old.length !== now.length) return shown.replaceChildren(...now);
  old.forEach((each, place) => {
    if (!each.isEqualNode(now[place]) && !each.contains(document.activeElement)) each.replaceWith(now[place]);
  });
}

document.addEventListener("DOMContentLoaded", () => {
  const shown = document.querySelector("#live[data-progress]");
  if (shown) setTimeout(look, SECOND, shown);
});
