// A filter applies itself when one of its choices changes; empty choices stay out of the address.
export function attach(form) {
  form.addEventListener("change", (event) => event.target.type !== "search" && form.requestSubmit())
  form.addEventListener("submit", () => {
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true
  })
}
