// Requests to our own server, with the proof that they come from our own page.

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

/** Posts fields as a form would; answers { ok, status, body } with the JSON body, or throws when nothing answered. */
export async function postForm(address, fields, headers = {}) {
  const response = await fetch(address, {
    method: "POST",
    headers: { Accept: "application/json", "X-CSRF-Token": csrfToken(), ...headers },
    body: new URLSearchParams(fields),
    credentials: "same-origin",
  });
  const body = await response.json().catch(() => ({}));
  return { ok: response.ok, status: response.status, body };
}

/** Fetches a piece of a page as elements; null when there is nothing new or the session is over. */
export async function fetchFragment(address) {
  const headers = { "X-CSRF-Token": csrfToken(), "X-CRM-By-Itself": "1" };
  const response = await fetch(address, { headers, credentials: "same-origin" });
  if (!response.ok || response.redirected) return null;
  const page = new DOMParser().parseFromString(`<ol>${await response.text()}</ol>`, "text/html");
  return [...page.querySelector("ol").children].map((element) => document.importNode(element, true));
}

/** A request that the page makes by itself: it keeps no session alive. */
export function byItself(address, accept) {
  const headers = { Accept: accept, "X-CRM-By-Itself": "1" };
  return fetch(address, { headers, credentials: "same-origin", cache: "no-store" });
}

/** A key that makes a repeated request one request. */
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether a key press belongs to a conversion of kana that is still going on. */
export function isConverting(event) {
  return event.isComposing || event.keyCode === 229;
}
