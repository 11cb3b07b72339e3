// Keys of every page: Ctrl+Z undoes the last move while its toast stands, / goes to the search, n to a new order.
const typing = (element) => element.closest("input, textarea, select, [contenteditable]")

document.addEventListener("keydown", (event) => {
  if (typing(event.target)) return
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.code === "KeyZ") return press(event, "[data-undo]", (button) => button.click())
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
