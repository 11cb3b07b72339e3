// Keys that do something by themselves, found by their place, so that any layout will do. A person may switch them off on their own page.
const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog"

export function isKey(event, code) {
  if (event.code !== code || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false
  return document.body.dataset.keys !== "off" && !event.target.closest(TYPED)
}
