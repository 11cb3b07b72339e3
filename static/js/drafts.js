// What was typed and not sent yet outlives a sign-in that ended: it is kept in this tab, for this person and page alone, and put back.
const KEY = "potok-draft"
const TYPED = "#main textarea[name], #main input[name]:is([type=text], [type=search], [type=tel], [type=email], [type=number], :not([type]))"
const person = () => document.querySelector("[data-person]")?.dataset.person

const formOf = (field) => field.form?.getAttribute("action") ?? ""

export function keep() {
  const fields = [...document.querySelectorAll(TYPED)].filter((field) => field.value !== field.defaultValue)
  if (!fields.length) return
  const typed = fields.map((field) => ({ form: formOf(field), name: field.name, value: field.value }))
  sessionStorage.setItem(KEY, JSON.stringify({ person: person(), path: location.pathname, typed }))
}

// On another page it waits; another person's is thrown away.
export function putBack() {
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null")
  if (!kept || !person()) return
  if (kept.person === person() && kept.path !== location.pathname) return
  sessionStorage.removeItem(KEY)
  if (kept.person !== person()) return
  for (const { form, name, value } of kept.typed) {
    const field = [...document.querySelectorAll(TYPED)].find((one) => one.name === name && formOf(one) === form)
    if (!field || field.value !== field.defaultValue) continue
    field.value = value
    field.dispatchEvent(new Event("input", { bubbles: true }))
  }
}
