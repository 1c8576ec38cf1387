// The conversation: opens at its end, loads older messages without a jump, shows what arrives.
import { fetchFragment } from "./http.js";
import { compare, insert, remove } from "./places.js";
import { coalesced } from "./regions.js";
import { recall, remember } from "./store.js";
import { TalkHead } from "./talk_head.js";

const PAUSE = 100;
const CLOSE_TO_END = 80;
const FOCUS = "crm.focus";

export function startConversation() {
  const region = document.querySelector("[data-talk]");
  return region ? new Conversation(region) : null;
}

class Conversation {
  constructor(region) {
    this.region = region;
    this.list = region.querySelector("[data-messages]");
    this.pill = document.querySelector("[data-talk-new]");
    this.last = Number(region.dataset.last);
    this.asking = null;
    this.missing = [];
    this.head = new TalkHead(document.querySelector("[data-talk-head]"));
    this.openAtEnd();
    this.keepFocus();
    this.watchOlder();
    this.pill.addEventListener("click", () => this.toEnd());
    region.addEventListener("scroll", () => this.atEnd() && (this.pill.hidden = true), { passive: true });
    if (!("live" in region.dataset)) return;
    this.followChanges();
  }

  /** Asks once for what changed in this customer's conversations, however much it is. */
  followChanges() {
    const refresh = coalesced(() => this.refresh(false), PAUSE);
    for (const kind of ["message", "send", "conversation"]) {
      document.addEventListener(`crm:${kind}`, ({ detail }) => this.concerns(detail) && refresh());
    }
    document.addEventListener("crm:handled", refresh);
    this.head.place.addEventListener("crm:stale", refresh);
    document.addEventListener("crm:reload", (event) => {
      event.preventDefault();
      refresh();
    });
  }

  /** Whether a change may show here. Without ids it may show everywhere. */
  concerns({ customer, conversation }) {
    if (customer !== undefined && String(customer) === this.region.dataset.customer) return true;
    if (conversation === undefined) return customer === undefined;
    return this.head.has(conversation) || this.list.querySelector(`[data-conversation="${conversation}"]`) !== null;
  }

  openAtEnd() {
    const target = document.getElementById(location.hash.slice(1));
    if (target && this.list.contains(target)) target.scrollIntoView({ block: "center" });
    else this.toEnd();
  }

  /** After a message is deleted the page is a new one; the focus goes on at the message that followed. */
  keepFocus() {
    const place = recall(FOCUS);
    remember(FOCUS, "");
    if (place) (document.getElementById(place) ?? document.getElementById("message"))?.focus();
    this.list.addEventListener("submit", (event) => {
      if (event.defaultPrevented || !event.target.matches(".msg-delete")) return;
      const messages = [...this.list.querySelectorAll("[data-at]")];
      const next = messages[messages.indexOf(event.target.closest("[data-at]")) + 1];
      remember(FOCUS, next?.id ?? "message");
    });
  }

  atEnd() {
    return this.region.scrollHeight - this.region.scrollTop - this.region.clientHeight < CLOSE_TO_END;
  }

  toEnd() {
    this.region.scrollTop = this.region.scrollHeight;
    this.pill.hidden = true;
  }

  /** Asks for what is newer than the last message, and for news of those still on their way. One question at a time. */
  async refresh(follow) {
    await this.asking;
    this.asking = this.askAll(follow).catch(() => undefined);
    return this.asking;
  }

  /** What was brought back is known to be missing only once one has asked. */
  async askAll(follow) {
    await this.ask(follow);
    if (this.missing.length) await this.ask(follow);
  }

  async ask(follow) {
    const waiting = [...this.list.querySelectorAll('[data-state="queued"], [data-state="sending"], [data-state="unknown"], [data-file]:not([data-file="stored"])')].map((m) => m.dataset.id);
    const query = new URLSearchParams({ after: String(this.last) });
    const watched = [...waiting, ...this.missing];
    if (watched.length) query.set("watch", watched.join(","));
    const items = await fetchFragment(`${this.region.dataset.url}?${query}`);
    if (!items) return;
    const stay = !follow && !this.atEnd();
    const added = this.append(items);
    document.dispatchEvent(new CustomEvent("crm:talk", { detail: { last: this.last } }));
    if (!added) return;
    document.querySelector("[data-talk-empty]")?.remove();
    if (stay) this.pill.hidden = false;
    else this.toEnd();
  }

  /** Adds what is new and replaces what changed; answers whether something was added. */
  append(items) {
    let added = false;
    let day = null;
    for (const item of items) {
      if ("link" in item.dataset) {
        showLink(item);
        continue;
      }
      if ("head" in item.dataset) {
        this.head.show(item);
        continue;
      }
      if ("present" in item.dataset) {
        this.compare(item.dataset);
        continue;
      }
      if (item.classList.contains("day")) {
        day = item;
        continue;
      }
      if (!item.dataset.id) continue;
      const known = document.getElementById(item.id);
      this.last = Math.max(this.last, Number(item.dataset.id));
      if (known) {
        if (known.dataset.state !== item.dataset.state || known.dataset.try !== item.dataset.try || known.dataset.file !== item.dataset.file) known.replaceWith(item);
        continue;
      }
      if (this.isOlder(item)) continue;
      if (item.dataset.send) this.settlePending(item);
      insert(this.list, item, day);
      added = true;
    }
    return added;
  }

  /** Whether a message belongs before all that is loaded; it comes with the older ones. */
  isOlder(item) {
    const first = this.list.querySelector("[data-at]");
    return first && this.region.querySelector("[data-older]") && compare(item.dataset.at, first.dataset.at) < 0;
  }

  /** The end of the conversation as it is: what was deleted goes, what was brought back is asked for. */
  compare({ present, from }) {
    const ids = present.split(",").filter(Boolean);
    for (const known of this.list.querySelectorAll("[data-at]")) {
      if ((!from || compare(known.dataset.at, from) >= 0) && !ids.includes(known.dataset.id)) remove(this.list, known);
    }
    this.missing = ids.filter((id) => Number(id) <= this.last && !document.getElementById(`m${id}`));
  }

  /** What was sent is there: the bubble that stood for it goes. */
  settlePending(item) {
    const words = (bubble) => bubble.querySelector(".msg-text").textContent.trim();
    const pending = [...this.list.querySelectorAll("[data-pending-message]")];
    pending.find((bubble) => words(bubble) === words(item))?.remove();
  }

  /** The failed message of a sending, if it stands here. */
  failed(send) {
    return this.list.querySelector(`[data-send="${send}"][data-state="failed"]`)?.dataset.id;
  }

  watchOlder() {
    const link = this.region.querySelector("[data-older]");
    if (!link) return;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this.loadOlder(link);
    });
    const observer = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && this.loadOlder(link), {
      root: this.region,
      rootMargin: "200px 0px 0px 0px",
    });
    requestAnimationFrame(() => observer.observe(link));
  }

  async loadOlder(link) {
    if (link.dataset.loading) return;
    link.dataset.loading = "1";
    const query = new URLSearchParams({ before: link.dataset.older });
    const items = await fetchFragment(`${this.region.dataset.url}?${query}`).catch(() => null);
    delete link.dataset.loading;
    if (!items) return;
    const height = this.region.scrollHeight - this.region.scrollTop;
    const more = items.find((item) => item.classList.contains("talk-more"));
    const first = this.list.querySelector(".day");
    const older = items.filter((item) => item !== more);
    if (first && older.some((item) => item.dataset.day === first.dataset.day)) first.remove();
    this.list.prepend(...older);
    this.region.scrollTop = this.region.scrollHeight - height;
    if (more) link.dataset.older = more.dataset.older;
    else link.closest("p").remove();
  }

  /** A bubble for what is being sent; the caller removes it. */
  showPending(template, text) {
    const bubble = template.content.firstElementChild.cloneNode(true);
    bubble.querySelector(".msg-text").textContent = text;
    document.querySelector("[data-talk-empty]")?.remove();
    this.list.append(bubble);
    this.toEnd();
    return bubble;
  }
}

function showLink(item) {
  const place = document.querySelector("[data-link-status]");
  const changed = place && place.textContent.trim() !== item.textContent.trim();
  if (!changed) return;
  place.replaceChildren(...item.childNodes);
  const note = document.querySelector("[data-left-note]");
  if (!note) return;
  note.hidden = !item.dataset.left;
  note.textContent = item.dataset.left;
}
