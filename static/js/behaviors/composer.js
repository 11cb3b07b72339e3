// The list of fields: a click puts one in where the cursor last stood, and on an empty line of a text with its label before it.
export function attach(list) {
  const form = list.closest("form")
  let target = form.querySelector("textarea[data-field-target]")
  form.addEventListener("focusin", (event) => event.target.matches("[data-field-target]") && (target = event.target))
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]")
    if (!button) return
    const field = button.dataset.insert
    target.setRangeText(isOnEmptyLine(target) ? `${button.dataset.label}: ${field}` : field, target.selectionStart, target.selectionEnd, "end")
    target.focus()
    target.dispatchEvent(new Event("input", { bubbles: true }))
  })
}

function isOnEmptyLine({ localName, value, selectionStart, selectionEnd }) {
  const before = value.slice(0, selectionStart).split("\n").at(-1)
  const after = value.slice(selectionEnd).split("\n")[0]
  return localName === "textarea" && !before.trim() && !after.trim()
}
