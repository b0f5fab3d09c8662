// User pools as apps use them: aws-amplify v6 and amazon-cognito-identity-js sign up and in by SRP, aws-jwt-verify
// verifies the tokens; and what must be refused is.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { Amplify } from "aws-amplify";
import {
  confirmResetPassword, confirmSignIn, confirmSignUp, fetchAuthSession, fetchUserAttributes, getCurrentUser,
  resetPassword, signIn, signOut, signUp, updatePassword,
} from "aws-amplify/auth";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import { CognitoJwtVerifier, JwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";
import { freePort } from "./homeport.js";

const program = process.env.HOMEPORT ?? path.resolve(import.meta.dirname, "../../target/release/homeport");
const folder = mkdtempSync(path.join(tmpdir(), "homeport-cognito-"));
const data = path.join(folder, "data");
const password = "Correct-horse7";
const region = "us-east-1";
let server;
let endpoint;
let pool;
let client;

const homeport = (...words) => execFileSync(program, [...words, "--data", data], { encoding: "utf8" }).trim();
const code = (name) => homeport("outbox", "--to", `${name}@example.com`, "--last", "--code");

// The control plane by the administrator's keys, through the AWS SDK that Amplify itself brings.
let control;
async function admin(operation, input) {
  const { [`${operation}Command`]: Command } = control.commands;
  return control.client.send(new Command(input));
}

before(async () => {
  endpoint = `http://127.0.0.1:${await freePort()}`;
  const flags = ["serve", "--data", data, "--listen", endpoint.slice("http://".length), "--console", "off"];
  server = spawn(program, flags, { stdio: "ignore" });
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(`${endpoint}/_homeport/ready`).catch(() => undefined);
    if (answer?.ok) break;
    assert.ok(tries < 400, "the server was not ready in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const credentials = JSON.parse(homeport("credentials", "--format", "json"));
  const commands = await import("@aws-sdk/client-cognito-identity-provider");
  control = { commands, client: new commands.CognitoIdentityProviderClient({ endpoint, region, credentials }) };
  const made = await admin("CreateUserPool", { PoolName: "node", AutoVerifiedAttributes: ["email"] });
  pool = made.UserPool.Id;
  const app = await admin("CreateUserPoolClient", { UserPoolId: pool, ClientName: "app" });
  client = app.UserPoolClient.ClientId;
  Amplify.configure({
    Auth: { Cognito: { userPoolId: pool, userPoolClientId: client, userPoolEndpoint: endpoint } },
  });
});

after(async () => {
  control?.client.destroy();
  server?.kill();
  await new Promise((resolve) => (server?.exitCode === null ? server.once("exit", resolve) : resolve()));
  rmSync(folder, { recursive: true, force: true });
});

async function person(name) {
  const answer = await signUp({
    username: name, password, options: { userAttributes: { email: `${name}@example.com` } },
  });
  assert.equal(answer.nextStep.signUpStep, "CONFIRM_SIGN_UP");
  const confirmed = await confirmSignUp({ username: name, confirmationCode: code(name) });
  assert.equal(confirmed.isSignUpComplete, true);
}

test("Amplify signs up, confirms, signs in by SRP and refreshes", async () => {
  await person("ann");
  const answer = await signIn({ username: "ann", password });
  assert.equal(answer.isSignedIn, true);
  assert.equal((await getCurrentUser()).username, "ann");
  assert.equal((await fetchUserAttributes()).email_verified, "true");
  const { tokens } = await fetchAuthSession();
  assert.equal(tokens.idToken.payload["cognito:username"], "ann");
  const refreshed = (await fetchAuthSession({ forceRefresh: true })).tokens;
  assert.notEqual(refreshed.accessToken.toString(), tokens.accessToken.toString());
  assert.equal(refreshed.accessToken.payload.origin_jti, tokens.accessToken.payload.origin_jti);
  await signOut();
});

test("Amplify is told of a wrong password, a wrong code and a taken name as by AWS", async () => {
  await person("bob");
  await assert.rejects(signIn({ username: "bob", password: "Wrong-horse7" }), { name: "NotAuthorizedException" });
  await assert.rejects(signIn({ username: "nobody", password }), { name: "NotAuthorizedException" });
  await assert.rejects(signUp({ username: "bob", password }), { name: "UsernameExistsException" });
  await signUp({ username: "eve", password, options: { userAttributes: { email: "eve@example.com" } } });
  const wrong = code("eve") === "000000" ? "000001" : "000000";
  await assert.rejects(
    confirmSignUp({ username: "eve", confirmationCode: wrong }), { name: "CodeMismatchException" });
});

test("Amplify resets and changes a password", async () => {
  await person("carol");
  const asked = await resetPassword({ username: "carol" });
  assert.equal(asked.nextStep.resetPasswordStep, "CONFIRM_RESET_PASSWORD_WITH_CODE");
  const next = "Another-horse7";
  await confirmResetPassword({ username: "carol", newPassword: next, confirmationCode: code("carol") });
  await signIn({ username: "carol", password: next });
  await updatePassword({ oldPassword: next, newPassword: password });
  await signOut({ global: true });
  await assert.rejects(signIn({ username: "carol", password: next }), { name: "NotAuthorizedException" });
  assert.equal((await signIn({ username: "carol", password })).isSignedIn, true);
  await signOut();
});

test("Amplify asks who was invited for a new password", async () => {
  await admin("AdminCreateUser", {
    UserPoolId: pool, Username: "dan", TemporaryPassword: password, MessageAction: "SUPPRESS",
  });
  const asked = await signIn({ username: "dan", password });
  assert.equal(asked.nextStep.signInStep, "CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED");
  assert.equal((await confirmSignIn({ challengeResponse: "Another-horse7" })).isSignedIn, true);
  await signOut();
});

test("amazon-cognito-identity-js signs in by SRP, also by an alias", async () => {
  const made = await admin("CreateUserPool", {
    PoolName: "aliases", AutoVerifiedAttributes: ["email"], AliasAttributes: ["email"],
  });
  const UserPoolId = made.UserPool.Id;
  const app = await admin("CreateUserPoolClient", { UserPoolId, ClientName: "app" });
  const UserAttributes = [{ Name: "email", Value: "fay@example.com" }, { Name: "email_verified", Value: "true" }];
  await admin("AdminCreateUser", { UserPoolId, Username: "fay", UserAttributes, MessageAction: "SUPPRESS" });
  await admin("AdminSetUserPassword", { UserPoolId, Username: "fay", Password: password, Permanent: true });
  const users = new CognitoUserPool({ UserPoolId, ClientId: app.UserPoolClient.ClientId, endpoint });
  for (const Username of ["fay", "fay@example.com"]) {
    const user = new CognitoUser({ Username, Pool: users });
    const attempt = (Password) => new Promise((onSuccess, onFailure) =>
      user.authenticateUser(new AuthenticationDetails({ Username, Password }), { onSuccess, onFailure }));
    const session = await attempt(password);
    assert.equal(session.getIdToken().payload["cognito:username"], "fay");
    await assert.rejects(attempt("Wrong-horse7"), { code: "NotAuthorizedException" });
  }
});

test("aws-jwt-verify accepts the tokens, and only in their place", async () => {
  await person("gil");
  await signIn({ username: "gil", password });
  const { tokens } = await fetchAuthSession();
  const issuer = `${endpoint}/${pool}`;
  const discovered = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  assert.equal(discovered.issuer, issuer);
  const jwks = await (await fetch(discovered.jwks_uri)).json();
  const generic = JwtVerifier.create({ issuer, audience: client, jwksUri: discovered.jwks_uri });
  generic.cacheJwks(jwks);
  const payload = await generic.verify(tokens.idToken.toString());
  assert.equal(payload.token_use, "id");
  await assert.rejects(generic.verify(`${tokens.idToken.toString().slice(0, -4)}AAAA`));
  await signOut();
});

test("aws-jwt-verify's Cognito verifier accepts tokens with AWS's issuer", async () => {
  const made = await admin("CreateUserPool", { PoolName: "aws-issuer", IssuerConfiguration: { Type: "ORIGINAL" } });
  const UserPoolId = made.UserPool.Id;
  const app = await admin("CreateUserPoolClient", {
    UserPoolId, ClientName: "app", ExplicitAuthFlows: ["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
  });
  const ClientId = app.UserPoolClient.ClientId;
  await admin("AdminCreateUser", { UserPoolId, Username: "hal", MessageAction: "SUPPRESS" });
  await admin("AdminSetUserPassword", { UserPoolId, Username: "hal", Password: password, Permanent: true });
  const { AuthenticationResult } = await admin("AdminInitiateAuth", {
    UserPoolId, ClientId, AuthFlow: "ADMIN_USER_PASSWORD_AUTH",
    AuthParameters: { USERNAME: "hal", PASSWORD: password },
  });
  const jwksCache = new SimpleJwksCache();
  const access = CognitoJwtVerifier.create({ userPoolId: UserPoolId, clientId: ClientId, tokenUse: "access" }, { jwksCache });
  const id = CognitoJwtVerifier.create({ userPoolId: UserPoolId, clientId: ClientId, tokenUse: "id" }, { jwksCache });
  const jwks = await (await fetch(`${endpoint}/${UserPoolId}/.well-known/jwks.json`)).json();
  access.cacheJwks(jwks);
  id.cacheJwks(jwks);
  await access.verify(AuthenticationResult.AccessToken);
  await id.verify(AuthenticationResult.IdToken);
  await assert.rejects(access.verify(AuthenticationResult.IdToken));
  await assert.rejects(id.verify(AuthenticationResult.AccessToken));
});
