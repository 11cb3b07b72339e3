// A form in which something stands that somebody has put there: live refresh leaves it alone.
export function attach(form) {
  form.addEventListener("input", () => form.toggleAttribute("data-dirty", [...form.elements].some(isChanged)))
  form.addEventListener("submit", () => delete form.dataset.dirty)
  form.addEventListener("htmx:responseError", () => (form.dataset.dirty = "")) // refused: what was typed is still to be kept
}

function isChanged(field) {
  if (field.matches("select")) return field.selectedIndex !== Math.max(0, [...field.options].findIndex((one) => one.defaultSelected))
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked
  return field.matches("input, textarea") && field.value !== field.defaultValue
}
