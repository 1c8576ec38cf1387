// The head of the conversation: who waits, who has it. It is replaced when it changed; what it shows as unread was read
// as soon as the page is looked at.
import { postForm } from "./http.js";
import { tellAges } from "./waits.js";

export class TalkHead {
  constructor(place) {
    this.place = place;
    document.addEventListener("visibilitychange", () => this.read());
    this.read();
    tellAges(place);
  }

  /** Takes the place of what stood there; the focus stays in the head. */
  show(fresh) {
    if (!plain(fresh).isEqualNode(plain(this.place))) {
      const focused = this.place.contains(document.activeElement);
      this.place.replaceChildren(...fresh.childNodes);
      if (focused) this.place.focus({ preventScroll: true });
      tellAges(this.place);
    }
    this.read();
  }

  /** Whether this conversation is one of those shown. */
  has(conversation) {
    return this.place.querySelector(`[data-talk-state="${conversation}"]`) !== null;
  }

  read() {
    if (document.visibilityState !== "visible") return;
    for (const state of this.place.querySelectorAll("[data-read]")) {
      const address = state.dataset.read;
      delete state.dataset.read;
      postForm(address, {}, { "X-CRM-By-Itself": "1" }).catch(() => undefined);
    }
  }
}

/** What stands in it. Proofs of forms differ from page to page. */
function plain(place) {
  const copy = document.createDocumentFragment();
  copy.append(...place.cloneNode(true).childNodes);
  for (const proof of copy.querySelectorAll('[name="csrf_token"]')) proof.removeAttribute("value");
  copy.normalize();
  return copy;
}
