// Parts of the page fetched anew, one after the other: htmx lets only the last of several requests from one place wait.
let line = Promise.resolve()

export function refresh(url, context) {
  const answer = line.then(() => window.htmx.ajax("GET", url, context))
  line = answer.catch(() => {})
  return answer
}
