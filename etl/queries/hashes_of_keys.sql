-- A hash of the key of each row of the relation `given`, in order: rows with different hashes have different keys.
select hash(store_id, seen_at, shopper_id, sku) as key_hash from given;
