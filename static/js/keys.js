// Keys of every page: Ctrl+Z undoes the last move while its toast stands, / goes to the search, n to a new order.
const typing = (element) => element.closest("input, textarea, select, [contenteditable]")

document.addEventListener("keydown", (event) => {
  if (typing(event.target)) return
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.code === "KeyZ") return press(event, "[data-undo]", undo)
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === "/") press(event, '[data-key="/"]', (field) => field.focus())
  if (event.code === "KeyN") press(event, "[data-opens]", (link) => link.click())
})

function press(event, selector, act) {
  const element = document.querySelector(selector)
  if (!element) return
  event.preventDefault()
  act(element)
}

// A hand may be faster than htmx, which takes a toast in only once it has settled; then the form would leave the page.
function undo(button) {
  window.htmx.process(button.form ?? button)
  button.click()
}
