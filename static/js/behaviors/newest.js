// A form that each choice sends: an answer that was asked for before the last choice would take it back, so it is left out.
export function attach(form) {
  const state = () => new URLSearchParams(new FormData(form)).toString()
  const asked = new WeakMap()
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt === form) asked.set(event.detail.xhr, state())
  })
  form.addEventListener("htmx:beforeSwap", (event) => {
    const before = asked.get(event.detail.xhr)
    if (before !== undefined && before !== state()) event.detail.shouldSwap = false
  })
}
