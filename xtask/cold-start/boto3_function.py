"""What the benchmark compares with: a function in Python that reads the same item by boto3, and answers the same."""

import http.client
import json
import os

import boto3

table = boto3.resource("dynamodb", endpoint_url=os.environ["STORE_ENDPOINT"]).Table("PhotoGalleryIndex")


def handle(event):
    token = event["headers"]["authorization"].removeprefix("Bearer ")
    session = table.get_item(Key={"PK": f"SESSION#{token}", "SK": "SESSION"}, ConsistentRead=True).get("Item")
    status = 200 if session else 401
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": "{}"}


def main():
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", "/2018-06-01/runtime/invocation/next")
        response = connection.getresponse()
        identity, event = response.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(response.read())
        connection.request("POST", f"/2018-06-01/runtime/invocation/{identity}/response", json.dumps(handle(event)))
        connection.getresponse().read()


main()
