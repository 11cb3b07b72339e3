// A switch that sends its form at once: where the server does not take it, it goes back to what is true.
export function attach(form) {
  for (const name of ["htmx:responseError", "htmx:sendError"]) form.addEventListener(name, () => form.reset())
}
