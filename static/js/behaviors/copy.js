// A button that copies a field into the clipboard. Browsers allow that over https and on this machine only; else the field is enough.
export function attach(button) {
  button.hidden = !navigator.clipboard
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copies)
    field.select()
    await navigator.clipboard.writeText(field.value)
    button.textContent = button.dataset.done
  })
}
