-- Prefect and MLflow each keep a table of the same name, so each has a database of its own beside ours, and a role that
-- may open that one alone. The role `locks` is all others': it holds locks in ours and owns nothing.
\set locks `cat /run/secrets/locks-password`
\set prefect `cat /run/secrets/prefect-password`
\set mlflow `cat /run/secrets/mlflow-password`
create role locks login password :'locks';
create role prefect login password :'prefect';
create role mlflow login password :'mlflow';
create database prefect owner prefect;
create database mlflow owner mlflow;
revoke all on database shelfprice, prefect, mlflow from public;
grant connect on database shelfprice to locks;
