// What a browser remembers for its reader; a browser that refuses to remember loses nothing else.

export function remember(name, value) {
  try {
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    return;
  }
}

/** What is begun and not sent is nobody's business once its writer has signed out. */
export function forgetDrafts() {
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith("crm.draft.")) localStorage.removeItem(name);
  } catch {
    return;
  }
}

export function recall(name) {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}
