// A page with a running scan asks what it is doing, once a second while somebody looks, until it has ended.
const SECOND = 1000;

async function look() {
  const shown = document.querySelector("[data-progress]");
  if (!shown) return;
  if (!document.hidden) {
    const answer = await fetch(shown.dataset.progress, { credentials: "same-origin" }).catch(() => null);
    if (answer?.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      if (!fresh?.dataset.progress) return location.reload();
      // Focus stays where it is: only what differs is replaced.
      const old = [...shown.children], now = [...fresh.children];
      if (old.length !== now.length) shown.replaceChildren(...now);
      else old.forEach((each, i) => each.isEqualNode(now[i]) || each.contains(document.activeElement) || each.replaceWith(now[i]));
    }
  }
  setTimeout(look, SECOND);
}

document.addEventListener("DOMContentLoaded", look);
