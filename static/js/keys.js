// Keys of every page: Ctrl+Z undoes the newest move whose toast stands, again the one before; one that is on its way is waited for.
// / goes to the search, n to a new order.
import { whenAnswered } from "./refresh.js"
import { isKey } from "./single-key.js"

const typing = (element) => element.closest("input, textarea, select, [contenteditable]")

document.addEventListener("keydown", (event) => {
  if (typing(event.target) || event.defaultPrevented) return
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.code === "KeyZ") return whenAnswered(() => press(event, newestUndo(), (button) => button.click()))
  if (event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.keys === "off") return
  if (isSlash(event)) press(event, shown('[data-key="/"]'), (field) => (field.matches("input") ? field.select() : field.click()))
  if (isKey(event, "KeyN")) press(event, shown("[data-opens]"), (link) => link.click())
})

// On a Russian keyboard the key of / types a full stop, and / is another key with Shift.
function isSlash(event) {
  return event.key === "/" || (event.code === "Slash" && event.key === ".")
}

function newestUndo() {
  return [...document.querySelectorAll("[data-undo]:not(:disabled)")].at(-1)
}

function shown(selector) {
  return [...document.querySelectorAll(selector)].find((element) => element.checkVisibility())
}

function press(event, element, act) {
  if (!element) return
  event.preventDefault()
  act(element)
}
