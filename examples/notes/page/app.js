// The notes page: what an app does, in plain calls so that every one can be read. A real app uses Amplify, which
// makes the same calls (and proves the password by SRP instead of sending it).

const config = await (await fetch("/config.json")).json();
const tokens = { id: sessionStorage.getItem("id") };
const $ = (id) => document.getElementById(id);
const say = (text) => { $("status").textContent = text; };

async function cognito(operation, input) {
  const response = await fetch(config.endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `AWSCognitoIdentityProviderService.${operation}`,
    },
    body: JSON.stringify(input),
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.message ?? answer.Message ?? answer.__type), { code: answer.__type });
  return answer;
}

async function api(method, path, body) {
  const response = await fetch(`${config.api}${path}`, {
    method,
    headers: { authorization: tokens.id, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (response.status === 401) signOut();
  if (!response.ok) throw new Error(answer.message ?? `HTTP ${response.status}`);
  return answer;
}

const signUp = ({ email, password }) =>
  cognito("SignUp", {
    ClientId: config.clientId, Username: email, Password: password,
    UserAttributes: [{ Name: "email", Value: email }],
  });

async function signIn({ email, password }) {
  const answer = await cognito("InitiateAuth", {
    AuthFlow: "USER_PASSWORD_AUTH", ClientId: config.clientId,
    AuthParameters: { USERNAME: email, PASSWORD: password },
  });
  tokens.id = answer.AuthenticationResult.IdToken;
  sessionStorage.setItem("id", tokens.id);
}

function signOut() {
  tokens.id = null;
  sessionStorage.removeItem("id");
  show();
}

function claims() {
  const part = tokens.id.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
}

async function show() {
  $("signed-in").hidden = !tokens.id;
  $("signed-out").hidden = Boolean(tokens.id);
  if (!tokens.id) return;
  $("who").textContent = claims().email;
  const [notes, photos] = await Promise.all([api("GET", "/notes"), api("GET", "/photos")]);
  $("notes").replaceChildren(...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note.text })));
  $("photos").replaceChildren(...photos.map((photo) =>
    Object.assign(document.createElement("img"), { src: photo.get, alt: photo.name })));
}

async function addPhoto(file) {
  const name = file.name.replace(/[^\w.-]/g, "_").slice(-80);
  const { put } = await api("POST", "/photos", { name });
  const stored = await fetch(put, { method: "PUT", body: file });
  if (!stored.ok) throw new Error(`The photo was not stored: HTTP ${stored.status}`);
}

// One form, one deed: its fields go in, what went wrong is said.
function onSubmit(id, deed) {
  $(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    say("");
    try {
      await deed(Object.fromEntries(new FormData(event.target)));
      event.target.reset();
      await show();
    } catch (error) {
      say(error.message);
    }
  });
}

let unconfirmed;
function askForCode(fields) {
  unconfirmed = fields;
  $("confirm-email").textContent = fields.email;
  $("confirm").hidden = false;
}

onSubmit("sign-up", async (fields) => {
  await signUp(fields);
  askForCode(fields);
});
onSubmit("confirm", async ({ code }) => {
  await cognito("ConfirmSignUp", { ClientId: config.clientId, Username: unconfirmed.email, ConfirmationCode: code.trim() });
  $("confirm").hidden = true;
  await signIn(unconfirmed);
});
onSubmit("sign-in", async (fields) => {
  try {
    await signIn(fields);
  } catch (error) {
    if (error.code !== "UserNotConfirmedException") throw error;
    await cognito("ResendConfirmationCode", { ClientId: config.clientId, Username: fields.email });
    askForCode(fields);
  }
});
onSubmit("write", ({ text }) => api("POST", "/notes", { text }));
onSubmit("add-photo", ({ photo }) => addPhoto(photo));
$("sign-out").addEventListener("click", signOut);
show().catch((error) => say(error.message));
