"""PartiQL statements by boto3: alone, in batches, in transactions."""

import json
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def client(admin):
    return admin("dynamodb")


@pytest.fixture
def notes(client):
    name = f"notes-{uuid.uuid4()}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": "owner", "AttributeType": "S"}, {"AttributeName": "at", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=name)
    yield name
    client.delete_table(TableName=name)


def refused(call, *args, **kwargs):
    with pytest.raises(ClientError) as error:
        call(*args, **kwargs)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_statement_writes_and_reads(client, notes):
    insert = f"""INSERT INTO "{notes}" VALUE {{'owner': ?, 'at': ?, 'tags': <<'a', 'b'>>, 'text': 'first'}}"""
    ada = [{"S": "ada"}, {"N": "1"}]
    assert client.execute_statement(Statement=insert, Parameters=ada)["Items"] == []
    with pytest.raises(client.exceptions.DuplicateItemException):
        client.execute_statement(Statement=insert, Parameters=ada)
    update = f"""UPDATE "{notes}" SET "text" = ? SET tags = set_add(tags, <<'c'>>) WHERE owner = ? AND "at" = ? RETURNING ALL NEW *"""
    changed = client.execute_statement(Statement=update, Parameters=[{"S": "second"}, *ada])["Items"]
    assert changed[0]["text"] == {"S": "second"} and sorted(changed[0]["tags"]["SS"]) == ["a", "b", "c"]
    found = client.execute_statement(Statement=f"""SELECT "text" FROM "{notes}" WHERE owner = 'ada'""")["Items"]
    assert found == [{"text": {"S": "second"}}]
    client.execute_statement(Statement=f"""DELETE FROM "{notes}" WHERE owner = 'ada' AND "at" = 1""")
    assert client.execute_statement(Statement=f'SELECT * FROM "{notes}"')["Items"] == []


def test_a_statement_is_refused_in_awss_words(client, notes):
    assert refused(client.execute_statement, Statement=f'SLECT * FROM "{notes}"') == (
        "ValidationException",
        "Statement wasn't well formed, can't be processed: Expected data manipulation",
    )
    code, said = refused(client.execute_statement, Statement=f'SELECT * FROM "{notes}" WHERE owner = ?')
    assert (code, said) == ("ValidationException", "Number of parameters in request and statement don't match.")
    code, _ = refused(client.execute_statement, Statement='SELECT * FROM "absent"')
    assert code == "ResourceNotFoundException"
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.execute_statement(Statement=f"""UPDATE "{notes}" SET a = 1 WHERE owner = 'absent' AND "at" = 1""")


def test_pages_follow_the_token(client, notes):
    for n in range(7):
        client.put_item(TableName=notes, Item={"owner": {"S": "ada"}, "at": {"N": str(n)}})
    statement = f"""SELECT "at" FROM "{notes}" WHERE owner = 'ada' ORDER BY "at" DESC"""
    seen, more = [], {}
    while True:
        page = client.execute_statement(Statement=statement, Limit=3, **more)
        seen += [int(item["at"]["N"]) for item in page["Items"]]
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
    assert seen == [6, 5, 4, 3, 2, 1, 0]
    first = client.execute_statement(Statement=statement, Limit=3)["NextToken"]
    other = f"""SELECT "at" FROM "{notes}" WHERE owner = 'bob'"""
    assert refused(client.execute_statement, Statement=other, NextToken=first)[1] == "NextToken does not match request"
    assert refused(client.execute_statement, Statement=statement, NextToken="AAAA")[1] == "Invalid NextToken"


def test_each_statement_of_a_batch_stands_for_itself(client, notes):
    statements = [
        {"Statement": f"""INSERT INTO "{notes}" VALUE {{'owner': 'ada', 'at': 1}}"""},
        {"Statement": f"""UPDATE "{notes}" SET a = 1 WHERE owner = 'absent' AND "at" = 1"""},
        {"Statement": "?"},
    ]
    responses = client.batch_execute_statement(Statements=statements)["Responses"]
    codes = [response.get("Error", {}).get("Code") for response in responses]
    assert codes == [None, "ConditionalCheckFailed", "ValidationError"]
    read = [{"Statement": f"""SELECT * FROM "{notes}" WHERE owner = 'ada' AND "at" = 1"""}]
    assert client.batch_execute_statement(Statements=read)["Responses"][0]["Item"]["owner"] == {"S": "ada"}


def test_a_transaction_of_statements_is_all_or_nothing(client, notes):
    insert = f"""INSERT INTO "{notes}" VALUE {{'owner': 'ada', 'at': ?}}"""
    one, two = ({"Statement": insert, "Parameters": [{"N": n}]} for n in "12")
    client.execute_transaction(TransactStatements=[one], ClientRequestToken="once")
    client.execute_transaction(TransactStatements=[one], ClientRequestToken="once")
    with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
        client.execute_transaction(TransactStatements=[two, one])
    codes = [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]]
    assert codes == ["None", "DuplicateItem"]
    assert len(client.execute_statement(Statement=f'SELECT * FROM "{notes}"')["Items"]) == 1


def test_statements_need_rights_of_their_own(homeport, client, notes, admin):
    name = f"ada-{uuid.uuid4()}"
    iam = admin("iam")
    iam.create_user(UserName=name)
    arn = client.describe_table(TableName=notes)["Table"]["TableArn"]
    condition = {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ada"]},
        "BoolIfExists": {"dynamodb:FullTableScan": "false"},
    }
    statement = {"Effect": "Allow", "Action": "dynamodb:PartiQL*", "Resource": arn, "Condition": condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="own-rows", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    ada = homeport.client("dynamodb", key["AccessKeyId"], key["SecretAccessKey"])
    own = f"""INSERT INTO "{notes}" VALUE {{'owner': 'ada', 'at': 1}}"""
    ada.execute_statement(Statement=own)
    assert len(ada.execute_statement(Statement=f"""SELECT * FROM "{notes}" WHERE owner = 'ada'""")["Items"]) == 1
    for other in (
        f'SELECT * FROM "{notes}"',
        f"""SELECT * FROM "{notes}" WHERE owner IN ['ada', 'bob']""",
        f"""INSERT INTO "{notes}" VALUE {{'owner': 'bob', 'at': 1}}""",
        f"""DELETE FROM "{notes}" WHERE owner = 'bob' AND "at" = 1""",
    ):
        assert refused(ada.execute_statement, Statement=other)[0] == "AccessDeniedException", other
    assert refused(ada.get_item, TableName=notes, Key={"owner": {"S": "ada"}, "at": {"N": "1"}})[0] == "AccessDeniedException"
