// The page of somebody who is no customer yet: what it shows was read as soon as the page is looked at.
import { postForm } from "./http.js";

export function startSender() {
  const page = document.getElementById("sender");
  if (!page) return;
  const read = () => {
    if (document.visibilityState !== "visible") return;
    for (const unread of page.querySelectorAll("[data-read]")) {
      const address = unread.dataset.read;
      delete unread.dataset.read;
      postForm(address, {}, { "X-CRM-By-Itself": "1" }).catch(() => undefined);
    }
  };
  document.addEventListener("visibilitychange", read);
  page.addEventListener("crm:replaced", read);
  read();
}
