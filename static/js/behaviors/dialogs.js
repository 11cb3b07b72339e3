// The region that dialogs are put into, one at a time: shown as they come, the first field at fault or the first one focused. A form
// in one that is answered closes it; what asks for more takes its place.
const FIRST = ['[aria-invalid="true"]', ".dialog-body :is(input:not([type=hidden]), select, textarea)", '[data-kind="primary"]', "[data-close]"]

export function attach(region) {
  new MutationObserver(() => open(region)).observe(region, { childList: true })
  region.addEventListener("click", (event) => event.target.closest("[data-close]")?.closest("dialog").close())
  region.addEventListener("close", (event) => left(event.target), true)
  region.addEventListener("htmx:afterRequest", (event) => {
    const dialog = event.detail.elt.closest("dialog")
    if (!dialog || !(event.detail.successful || event.detail.xhr.status === 409)) return
    dialog.dataset.done = ""
    dialog.close()
  })
}

function open(region) {
  const dialog = region.querySelector("dialog:not([open])")
  if (!dialog || "done" in dialog.dataset) return
  dialog.showModal()
  FIRST.map((selector) => dialog.querySelector(selector)).find(Boolean)?.focus()
}

function left(dialog) {
  document.dispatchEvent(new CustomEvent("potok:dialog-left", { detail: { order: dialog.dataset.of, isDone: "done" in dialog.dataset } }))
  dialog.remove()
}
