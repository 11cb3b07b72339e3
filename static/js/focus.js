// After a form that leads back to its own page the focus is where it was: at the field that was changed, or the button that was
// pressed, or what its form has instead of it.
const KEY = "potok-focus"

addEventListener("submit", ({ target, submitter, defaultPrevented }) => {
  if (defaultPrevented || !target.hasAttribute("action")) return
  const { name, value } = submitter ?? document.activeElement
  sessionStorage.setItem(KEY, JSON.stringify({ path: location.pathname, action: target.getAttribute("action"), name, value }))
})

const before = JSON.parse(sessionStorage.getItem(KEY) ?? "{}")
sessionStorage.removeItem(KEY)
// Not sooner: the way to an address's #part takes the focus away.
if (before.path === location.pathname) addEventListener("load", () => requestAnimationFrame(() => focus(before)))

function focus({ action, name, value }) {
  if (document.activeElement !== document.body) return
  const forms = [...document.forms].filter((form) => form.getAttribute("action") === action)
  const able = forms.flatMap((form) => [...form.elements]).filter((field) => field.type !== "hidden" && !field.disabled)
  const isSame = (field) => field.name === name && (field.type !== "submit" || field.value === value)
  ;(able.find(isSame) ?? able.find((field) => field.type === "submit"))?.focus()
}
