// A form that the server draws anew at each choice, and the parts beside it, where what it says is tried out.
export function attach(form) {
  const asked = new WeakMap()
  let pressed = "" // the value of the button whose answer is still on its way
  let next = "" // the id of another one that adds something, pressed meanwhile
  keepFocus(form)
  keepTrials(form)
  keepTyped()
  form.addEventListener("htmx:confirm", (event) => {
    const { elt } = event.detail
    if (!pressed || elt.name !== "do") return
    event.preventDefault()
    if (elt.value !== pressed && elt.value.startsWith("add-")) next = elt.id
  })
  // A choice takes the place of what was asked before it, and does what was pressed before it as well. Without that, htmx would send
  // the button clicked last until the focus leaves it, and where a click gives no focus (Safari) for ever.
  form.addEventListener("htmx:configRequest", (event) => {
    const { elt, parameters } = event.detail
    if (elt.name === "do") pressed = elt.value
    else if (elt !== form) return
    else if (pressed) parameters.do = pressed
    else delete parameters.do
  })
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt === form) asked.set(event.detail.xhr, stateOf(form))
  })
  // an answer that was asked for before the last choice would take it back: it is asked for again
  form.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target !== form) return
    const before = asked.get(event.detail.xhr)
    if (before === undefined || before === stateOf(form)) return (pressed = "")
    event.detail.shouldSwap = false
    setTimeout(() => window.htmx.trigger(form, "change"))
  })
  form.addEventListener("htmx:afterSettle", () => {
    if (pressed || !next) return
    const button = document.getElementById(next)
    next = ""
    button?.click()
  })
  for (const failed of ["htmx:sendError", "htmx:timeout"]) form.addEventListener(failed, () => (pressed = next = ""))
}

// What stands in it, without the fields of the parts beside it.
function stateOf(form) {
  const inside = [...form.elements].filter((field) => form.contains(field) && field.name && (field.checked || !field.matches("[type=checkbox], [type=radio], button")))
  return JSON.stringify(inside.map((field) => [field.name, field.value]))
}

// What was tried while a drawing of the same rule was on its way stays, with its answer; the drawing would wipe it.
function keepTrials(form) {
  const asked = new WeakMap()
  let tried = new Map()
  let state = null
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, target, xhr, requestConfig } = event.detail
    if (target === form) asked.set(xhr, { tried: (tried = new Map()), changesRows: Boolean(requestConfig.parameters.do) })
    else if (elt.form === form && target.id) tried.set(target.id, stateOf(form))
  })
  form.addEventListener("htmx:beforeSwap", (event) => {
    const drawing = asked.get(event.detail.xhr)
    state = drawing && !drawing.changesRows && drawing.tried === tried ? stateOf(form) : null
  })
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (state === null || event.detail.target.id !== "rule-aside") return
    for (const [id, when] of tried) {
      const drawn = when === state && event.detail.fragment.querySelector(`#${CSS.escape(id)}`)
      if (drawn) drawn.replaceWith(document.getElementById(id))
    }
  })
}

// What is typed beside it while a drawing is on its way stays, and so does the place where it is typed.
function keepTyped() {
  let typing = null
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail
    if (target.id !== "rule-aside") return
    for (const field of target.querySelectorAll("input[name]:not([type=checkbox], [type=radio], [type=hidden])")) {
      const drawn = fragment.querySelector(`[name="${CSS.escape(field.name)}"]`)
      if (field.value !== field.defaultValue) drawn?.setAttribute("value", field.value)
      if (drawn && field === document.activeElement) typing = { name: field.name, from: field.selectionStart, to: field.selectionEnd }
    }
  })
  document.addEventListener("htmx:oobAfterSwap", () => {
    const field = typing && document.querySelector(`#rule-aside [name="${CSS.escape(typing.name)}"]`)
    if (field) {
      field.focus({ preventScroll: true })
      field.setSelectionRange(typing.from, typing.to)
    }
    typing = null
  })
}

// A row that is dropped takes the button that was pressed with it: the focus goes to the next row's, which has its id, or to data-else.
function keepFocus(form) {
  let id = ""
  let other = ""
  form.addEventListener("htmx:beforeSwap", () => {
    const { activeElement } = document
    ;[id, other] = form.contains(activeElement) ? [activeElement.id, activeElement.dataset.else] : ["", ""]
  })
  form.addEventListener("htmx:afterSettle", () => {
    if (id && document.activeElement === document.body) (document.getElementById(id) ?? document.getElementById(other))?.focus()
  })
}
