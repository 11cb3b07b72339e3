// A form that the server draws anew at each choice, and the parts beside it, where what it says is tried out.
export function attach(form) {
  const state = () => new URLSearchParams(new FormData(form)).toString()
  const asked = new WeakMap()
  let pressed = "" // the button whose answer is still on its way
  keepFocus(form)
  keepTrials(form)
  form.addEventListener("htmx:confirm", (event) => {
    if (pressed && event.detail.elt.name === "do") event.preventDefault()
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
    if (event.detail.elt === form) asked.set(event.detail.xhr, state())
  })
  // an answer that was asked for before the last choice would take it back
  form.addEventListener("htmx:beforeSwap", (event) => {
    const before = asked.get(event.detail.xhr)
    if (before !== undefined && before !== state()) event.detail.shouldSwap = false
    else pressed = ""
  })
  for (const failed of ["htmx:sendError", "htmx:timeout"]) form.addEventListener(failed, () => (pressed = ""))
}

// What was tried while a drawing was on its way stays, with its answer; the drawing would wipe it.
function keepTrials(form) {
  const sent = new WeakMap()
  const tried = new Map()
  let drawing = 0
  let count = 0
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { target, xhr } = event.detail
    sent.set(xhr, ++count)
    if (target !== form) tried.set(target.id, count)
  })
  form.addEventListener("htmx:beforeSwap", (event) => (drawing = sent.get(event.detail.xhr)))
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    for (const [id, when] of tried) {
      const drawn = when > drawing && event.detail.fragment.querySelector(`#${id}`)
      if (drawn) drawn.replaceWith(document.getElementById(id))
    }
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
