// The list of fields: a click puts one in where the cursor last stood.
export function attach(list) {
  const form = list.closest("form")
  let target = form.querySelector("textarea[data-field-target]")
  form.addEventListener("focusin", (event) => event.target.matches("[data-field-target]") && (target = event.target))
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]")
    if (!button) return
    target.setRangeText(button.dataset.insert, target.selectionStart, target.selectionEnd, "end")
    target.focus()
    target.dispatchEvent(new Event("input", { bubbles: true }))
  })
}
