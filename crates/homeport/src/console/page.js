"use strict";

const KEPT = "homeport-token";
const state = document.getElementById("state");
const refresh = document.getElementById("refresh");

/** Exchanges the link's token, which stands in the fragment, for a session. */
async function open() {
  const link = location.hash.slice(1);
  if (!link) return;
  history.replaceState(null, "", location.pathname);
  const answer = await fetch("/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ link }),
  });
  if (answer.ok) sessionStorage.setItem(KEPT, (await answer.json()).token);
}

/** What messages say is shown as text, never as markup. */
function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function shown(message) {
  const article = document.createElement("article");
  const from = message.user_pool_id ? ` · ${message.user_pool_id}` : "";
  article.append(element("h2", "", message.subject || message.channel));
  article.append(element("p", "about", `${message.to} · ${new Date(message.at).toLocaleString()}${from}`));
  if (message.code) article.append(element("p", "code", message.code));
  article.append(element("p", "body", message.body));
  return article;
}

async function show() {
  const token = sessionStorage.getItem(KEPT) || "";
  const answer = await fetch("/api/outbox", { headers: { "x-homeport-token": token } });
  refresh.hidden = !answer.ok;
  if (!answer.ok) {
    state.textContent = "This page opens by a one-time link, which is good once. Another: homeport outbox --link --data FOLDER";
    return;
  }
  const messages = await answer.json();
  state.textContent = messages.length ? "" : "There are no messages.";
  document.getElementById("messages").replaceChildren(...messages.map(shown));
}

refresh.addEventListener("click", show);
open().then(show, () => { state.textContent = "Homeport does not answer."; });
