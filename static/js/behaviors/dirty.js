// A form that somebody has begun to fill in: live refresh leaves it alone.
export function attach(form) {
  form.addEventListener("input", () => (form.dataset.dirty = ""))
  form.addEventListener("submit", () => delete form.dataset.dirty)
  form.addEventListener("htmx:responseError", () => (form.dataset.dirty = "")) // refused: what was typed is still to be kept
}
