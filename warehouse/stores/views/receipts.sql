-- One row per receipt of decisions, unit sales, price decisions and cells: the fingerprint of the data of each batch.
create or replace view receipts as
select
    business_date,
    sha256,
    rows as count_rows,
    commit as commit_name,
    regexp_extract(filename, 'lake/receipts/([a-z_]+)/', 1) as table_name,
    regexp_extract(filename, 'part-(.+)[.]receipt[.]json$', 1) as batch
from
    read_json(
        [
            'lake/receipts/interactions/*/*.receipt.json',
            'lake/receipts/unit_sales/*/*.receipt.json',
            'lake/receipts/repricings/*/*.receipt.json',
            'lake/receipts/demand_cells/*/*.receipt.json'
        ],
        columns = {rows: 'bigint', sha256: 'varchar', commit: 'varchar'},
        filename = true,
        hive_partitioning = true,
        hive_types = {'business_date': date}
    )
where batch <> 'contract';

comment on view receipts is 'one receipt of a batch of decisions, unit sales, price decisions or demand cells';
comment on column receipts.sha256 is 'SHA-256 of the file';
comment on column receipts.count_rows is 'rows in it';
comment on column receipts.commit_name is 'what it was committed with: batches of one name are from one run';
comment on column receipts.table_name is 'the table';
comment on column receipts.batch is 'name of the batch';
