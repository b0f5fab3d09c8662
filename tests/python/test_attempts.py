"""Guessing: passwords and codes, one after another and many at once, and codes that were used."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from pools import PASSWORD, WRONG, UserPool

LOOKED_AT, LOCKED = "Incorrect username or password.", "Password attempts exceeded"
MANY = 20


@pytest.fixture(scope="module")
def people(homeport):
    return UserPool(homeport, "attempts", AutoVerifiedAttributes=["email"])


@pytest.fixture(scope="module")
def at_once():
    """Calls all at once, each on a thread of its own, and what each was told: `None` where it was let through."""
    with ThreadPoolExecutor(MANY) as threads:
        yield lambda calls: list(threads.map(told, calls))


def told(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return None


def sign_ins(people, name, *passwords):
    return [lambda password=password: people.sign_in(name, password) for password in passwords]


def test_of_many_wrong_passwords_at_once_no_more_than_the_budget_is_looked_at(people, at_once):
    people.user("ann")
    began = time.monotonic()
    answers = at_once(sign_ins(people, "ann", *[WRONG] * MANY))
    # Each lock that has passed meanwhile lets one more through: the first lasts one second.
    budget = 5 + int(time.monotonic() - began)
    assert {code for code, _ in answers} == {"NotAuthorizedException"}
    looked_at = [message for _, message in answers if message == LOOKED_AT]
    assert 5 <= len(looked_at) <= budget
    assert {message for _, message in answers} == {LOOKED_AT, LOCKED}


def test_of_many_attempts_after_the_budget_none_is_accepted(people, at_once):
    people.user("bob")
    # Seven failures, each after the lock before it: the next lock lasts four seconds, long enough for all below.
    for lock in (0, 0, 0, 0, 0, 1.05, 2.05):
        time.sleep(lock)
        assert told(sign_ins(people, "bob", WRONG)[0]) == ("NotAuthorizedException", LOOKED_AT)
    locked = time.monotonic()
    status = people.status("bob")
    passwords = [WRONG] * MANY
    passwords[3] = passwords[10] = passwords[17] = PASSWORD
    answers = at_once(sign_ins(people, "bob", *passwords))
    assert time.monotonic() - locked < 4, "the machine is too slow to tell"
    assert answers == [("NotAuthorizedException", LOCKED)] * MANY
    assert people.status("bob") == status
    # They didn't count: the lock ends when it would have ended.
    time.sleep(max(0, locked + 4.1 - time.monotonic()))
    people.sign_in("bob")


def test_an_unknown_name_is_locked_like_a_known_one(people, at_once):
    began = time.monotonic()
    answers = at_once(sign_ins(people, "nobody", *[WRONG] * MANY))
    budget = 5 + int(time.monotonic() - began)
    assert {message for _, message in answers} == {LOOKED_AT, LOCKED}
    assert 5 <= sum(message == LOOKED_AT for _, message in answers) <= budget


def other(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def sign_up(people, name):
    people.public.sign_up(
        ClientId=people.app,
        Username=name,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": f"{name}@example.com"}],
    )
    return people.server.code(f"{name}@example.com")


def confirms(people, name, *codes):
    confirm = people.public.confirm_sign_up
    return [lambda code=code: confirm(ClientId=people.app, Username=name, ConfirmationCode=code) for code in codes]


def test_of_many_wrong_codes_at_once_five_are_looked_at(people, at_once):
    code = sign_up(people, "carl")
    before = people.status("carl")
    answers = at_once(confirms(people, "carl", *[other(code)] * MANY))
    codes = [code for code, _ in answers]
    assert (codes.count("CodeMismatchException"), codes.count("LimitExceededException")) == (5, MANY - 5)
    # The code is spent: the right one is of no use among them or after them.
    assert {said[0] for said in at_once(confirms(people, "carl", *[code] * MANY))} == {"LimitExceededException"}
    assert people.status("carl") == before and before["UserStatus"] == "UNCONFIRMED"
    people.public.resend_confirmation_code(ClientId=people.app, Username="carl")
    assert told(confirms(people, "carl", people.server.code("carl@example.com"))[0]) is None
    people.sign_in("carl")


def test_a_wrong_an_old_and_a_used_code_confirm_nobody(people):
    old = sign_up(people, "dora")
    assert told(confirms(people, "dora", other(old))[0])[0] == "CodeMismatchException"
    people.public.resend_confirmation_code(ClientId=people.app, Username="dora")
    new = people.server.code("dora@example.com")
    assert old != new and told(confirms(people, "dora", old)[0])[0] == "CodeMismatchException"
    assert people.status("dora")["UserStatus"] == "UNCONFIRMED"
    assert told(confirms(people, "dora", new)[0]) is None
    assert told(confirms(people, "dora", new)[0])[0] == "NotAuthorizedException"


def test_of_many_who_use_one_code_at_once_one_is_let_through(people, at_once):
    code = sign_up(people, "emil")
    assert at_once(confirms(people, "emil", *[code] * MANY)).count(None) == 1
    public, place = people.public, {"ClientId": people.app, "Username": "emil"}
    public.forgot_password(**place)
    code = people.server.code("emil@example.com")

    def reset(password, given):
        return lambda: public.confirm_forgot_password(**place, ConfirmationCode=given, Password=password)

    assert told(reset("Another-horse1", other(code)))[0] == "CodeMismatchException"
    people.sign_in("emil")
    answers = at_once([reset(f"Another-horse{n}", code) for n in range(MANY)])
    assert answers.count(None) == 1
    assert {said[0] for said in answers if said} <= {"ExpiredCodeException", "LimitExceededException"}
    assert told(reset("Another-horse99", code))[0] == "ExpiredCodeException"
    people.sign_in("emil", f"Another-horse{answers.index(None)}")
    assert told(sign_ins(people, "emil", PASSWORD)[0])[0] == "NotAuthorizedException"


def test_an_operator_may_set_how_soon_a_user_is_locked(fresh):
    environment = {"HOMEPORT_COGNITO_LOCKS_FROM": "2", "HOMEPORT_COGNITO_FIRST_LOCK_SECONDS": "600"}
    pool = UserPool(fresh(environment=environment)).user("ada")
    pool.sign_in("ada")
    for _ in range(2):
        with pytest.raises(ClientError, match="Incorrect username or password"):
            pool.sign_in("ada", WRONG)
    with pytest.raises(ClientError, match="Password attempts exceeded"):
        pool.sign_in("ada")
