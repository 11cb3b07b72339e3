// Keys of every page: Ctrl+Z undoes the newest move whose toast stands, again the one before;
// / goes to the search, n to a new order.
const typing = (element) => element.closest("input, textarea, select, [contenteditable]")

document.addEventListener("keydown", (event) => {
  if (typing(event.target)) return
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.code === "KeyZ") return press(event, [...document.querySelectorAll("[data-undo]:not(:disabled)")].at(-1), (button) => button.click())
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === "/") press(event, document.querySelector('[data-key="/"]'), (field) => field.focus())
  if (event.code === "KeyN") press(event, document.querySelector("[data-opens]"), (link) => link.click())
})

function press(event, element, act) {
  if (!element) return
  event.preventDefault()
  act(element)
}
