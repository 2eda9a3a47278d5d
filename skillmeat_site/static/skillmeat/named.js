// Select2's boxes have no name: to those who do not see them they are the label of the field, and what was chosen.
// This is registered after Django's script, which makes the boxes, and therefore runs after it.
window.django?.jQuery?.(() => {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const label = select.labels[0], chosen = document.getElementById(`select2-${select.id}-container`);
    if (!label || !chosen) continue;
    label.id ||= `${select.id}_label`;
    chosen.setAttribute("aria-labelledby", label.id);
    chosen.parentElement.setAttribute("aria-labelledby", `${label.id} ${chosen.id}`);
  }
});
