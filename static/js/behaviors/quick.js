// Quick add: opened by its own summary or by the top bar's button; emptied and closed when its order is placed.
export function attach(quick) {
  const first = () => quick.querySelector("input:not([type=hidden])")
  quick.addEventListener("toggle", () => quick.open && first()?.focus())
  quick.querySelector("[data-close]")?.addEventListener("click", () => (quick.open = false))
  quick.addEventListener("keydown", (event) => event.key === "Escape" && (quick.open = false))
  document.addEventListener("click", (event) => {
    if (!event.target.closest('[data-opens="quick"]') || !quick.isConnected) return
    event.preventDefault()
    quick.open = true
    quick.scrollIntoView({ block: "nearest", inline: "nearest" })
    first()?.focus()
  })
  document.addEventListener("potok:placed", () => {
    const form = quick.querySelector("form")
    form.querySelectorAll("input:not([type=hidden])").forEach((input) => (input.value = ""))
    form.elements.key.value = crypto.randomUUID().replaceAll("-", "")
    quick.querySelectorAll('[data-state="failed"]').forEach((error) => error.remove())
    quick.open = false
  })
  if (quick.open) first()?.focus()
}
