// Quick add: opened by its own summary or by the top bar's button. Once an order is placed the form is ready for the next one;
// what was chosen from lists stays. Esc closes it and gives the focus back.
export function attach(quick) {
  const form = quick.querySelector("form")
  const first = () => quick.querySelector('[aria-invalid="true"]') ?? form.elements.customer_name
  let opener = quick.querySelector("summary")

  quick.addEventListener("toggle", () => quick.open && first().focus())
  quick.querySelector("[data-close]").addEventListener("click", close)
  quick.addEventListener("keydown", (event) => event.key === "Escape" && close())
  document.addEventListener("click", (event) => {
    const link = event.target.closest('[data-opens="quick"]')
    if (!link || !quick.isConnected) return
    event.preventDefault()
    opener = link
    quick.open = true
    quick.scrollIntoView({ block: "nearest", inline: "nearest" })
    first().focus()
  })
  form.addEventListener("htmx:afterRequest", (event) => event.detail.elt === form && event.detail.successful && empty())
  if (quick.open) first().focus()

  function close() {
    quick.open = false
    opener.focus()
  }

  function empty() {
    form.querySelectorAll("input:not([type=hidden])").forEach((input) => {
      input.value = ""
      input.removeAttribute("aria-invalid")
      input.removeAttribute("aria-describedby")
    })
    form.elements.key.value = crypto.randomUUID().replaceAll("-", "")
    quick.querySelectorAll('[data-state="failed"]').forEach((error) => error.remove())
    first().focus()
  }
}
