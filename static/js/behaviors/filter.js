// A filter applies itself when one of its choices changes; empty choices stay out of the address. An arrow key changes a list at
// each press, so what is chosen by keys waits for Enter, or for the focus to leave the filter.
const AT_ONCE = ["Enter", " "]

export function attach(form) {
  let byKeys = false
  let waits = false
  const apply = () => {
    waits = false
    form.requestSubmit()
  }
  form.addEventListener("pointerdown", () => (byKeys = false))
  form.addEventListener("keydown", (event) => {
    byKeys = !AT_ONCE.includes(event.key)
    if (event.key === "Enter" && waits) apply()
  })
  form.addEventListener("change", (event) => {
    if (event.target.type === "search") return
    if (event.target.localName === "select" && byKeys) waits = true
    else apply()
  })
  form.addEventListener("focusout", (event) => waits && !form.contains(event.relatedTarget) && apply())
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (!value) formData.delete(name)
  })
}
