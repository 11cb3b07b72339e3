// A form that the server draws anew at each choice.
export function attach(form) {
  const state = () => new URLSearchParams(new FormData(form)).toString()
  const asked = new WeakMap()
  keepFocus(form)
  // htmx remembers the button clicked last until the focus leaves it, and where a click gives no focus (Safari) for ever
  form.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt === form) delete event.detail.parameters.do
  })
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt === form) asked.set(event.detail.xhr, state())
  })
  // an answer that was asked for before the last choice would take it back
  form.addEventListener("htmx:beforeSwap", (event) => {
    const before = asked.get(event.detail.xhr)
    if (before !== undefined && before !== state()) event.detail.shouldSwap = false
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
