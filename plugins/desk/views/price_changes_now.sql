-- The moment from which an event of price_changes counts in a store; '' is every store without a moment of its own.
create or replace macro counts_from(event, store) as coalesce(
    list_filter(event.effective_in, lambda own: own.store_id = store)[1].effective_at, event.effective_at
);

-- Price changes as they stand at a moment by all that was recorded: what plugins/desk/price_changes/change.py
-- does, in SQL. A
-- change holds in a store from its last approval to its end or withdrawal; each store follows at its own next tick, so
-- a change of every store has one span for each store whose moment is another one, and one (place '') for all others.
-- Without a moment, each change is seen at the next tick of its store, or of the first store.
create or replace macro price_changes_at(moment) as table
    with events as (
        select
            *,
            number * 10 + array_position(['proposed', 'approved', 'rejected', 'withdrawn'], event) as place_in_time
        from price_changes
    ),

    lasts as (
        select *
        from events
        qualify row_number() over (partition by change order by place_in_time desc) = 1
    ),

    approvals as (
        select *
        from events
        where event = 'approved'
        qualify row_number() over (partition by change order by place_in_time desc) = 1
    ),

    asked as (
        select
            change,
            min(number) as number,
            arg_min(done_by, place_in_time) as asked_by,
            min(recorded_at) as asked_at,
            bool_or(event = 'approved' and valid_from <= effective_at) as is_at_once
        from events
        group by change
    ),

    places as (
        select
            change,
            coalesce(store_id, '') as store_id
        from events
        union
        select
            change,
            unnest(effective_in).store_id as store_id
        from events
    ),

    spans as (
        select
            places.change,
            places.store_id,
            greatest(lasts.valid_from, counts_from(approvals, places.store_id)) as starts,
            least(
                lasts.valid_until, case when lasts.event = 'withdrawn' then counts_from(lasts, places.store_id) end
            ) as ends
        from places
        inner join lasts on places.change = lasts.change
        inner join approvals on places.change = approvals.change
    ),

    wholes as (
        select
            change,
            list(store_id) as places,
            min(starts) filter (where ends is null or starts < ends) as holds_from,
            case
                when count(*) filter (where ends is null) = 0 then max(ends) filter (where starts < ends)
            end as holds_until
        from spans
        group by change
    ),

    seen as (
        select
            lasts.*,
            asked.asked_by,
            asked.asked_at,
            asked.is_at_once,
            approvals.done_by as approved_by,
            wholes.places,
            wholes.holds_from,
            wholes.holds_until,
            [array_position(['price', 'event', 'override', 'freeze', 'kill_switch'], lasts.kind), asked.number] as rank,
            coalesce(
                moment,
                (
                    select min(next_ticks.next_tick_at) from next_ticks
                    where lasts.store_id is null or next_ticks.store_id = lasts.store_id
                ),
                (select any_value(now()) from catalogs where (catalogs.store ->> '$.sales') = 'outside'),
                (select max(events.effective_at) from events where events.event <> 'proposed')
            ) as seen_at
        from lasts
        inner join asked on lasts.change = asked.change
        left join wholes on lasts.change = wholes.change
        left join approvals on lasts.change = approvals.change
    ),

    about_now as (
        select * from seen
        where
            holds_from <= (select max(seen.seen_at) from seen)
            and coalesce(holds_until > (select min(seen.seen_at) from seen), true)
    ),

    covered as (
        select distinct mine.change
        from about_now as mine
        inner join about_now as other
            on
                coalesce(mine.sku = other.sku, other.sku is null)
                and coalesce(mine.store_id = other.store_id, other.store_id is null)
                and mine.rank < other.rank
        left join spans
            on
                other.change = spans.change
                and (mine.store_id = spans.store_id or not list_contains(other.places, mine.store_id))
                and spans.store_id in ('', mine.store_id)
        where
            mine.seen_at >= case when mine.store_id is null then other.holds_from else spans.starts end
            and coalesce(
                mine.seen_at < case when mine.store_id is null then other.holds_until else spans.ends end, true
            )
    )

    select
        change,
        case
            when event in ('proposed', 'rejected') and coalesce(seen_at < valid_until, true) then event
            when event = 'withdrawn' then 'withdrawn'
            when seen_at >= valid_until then 'expired'
            when not coalesce(holds_from <= seen_at and coalesce(seen_at < holds_until, true), false)
                then case when is_at_once then 'in_force' else 'scheduled' end
            when change in (select covered.change from covered) then 'superseded'
            else 'in_force'
        end as state,
        kind,
        sku,
        store_id,
        old_price as old_price_eur,
        new_price as new_price_eur,
        valid_from,
        valid_until,
        holds_from,
        holds_until,
        asked_by,
        asked_at,
        approved_by,
        done_by as decided_by,
        recorded_at as decided_at,
        reason,
        expected_cost as expected_cost_a_day_eur,
        announced as is_announced,
        prior_price as prior_price_eur,
        seen_at
    from seen;

-- One row per price change, as it stands at the next tick of its store.
create or replace view price_changes_now as
select * from price_changes_at(null); -- noqa: AM04

comment on view price_changes_now is 'one price change, as it stands at the next tick of its store';
comment on column price_changes_now.change is 'id of the price change';
comment on column price_changes_now.kind is
'price (what a policy proposes for a day), override, freeze, or kill_switch (base prices)';
comment on column price_changes_now.state is
'proposed, rejected, withdrawn, scheduled, in_force, superseded (a later or stronger one holds instead) or expired';
comment on column price_changes_now.old_price_eur is 'what stands without it, EUR; null when unknown';
comment on column price_changes_now.new_price_eur is 'price that is wanted, EUR; null for base prices';
comment on column price_changes_now.valid_from is 'from when the price is wanted, in the time of the stores, UTC';
comment on column price_changes_now.valid_until is 'until when, UTC; null until it is withdrawn';
comment on column price_changes_now.holds_from is
'from when it holds in the first store, unless another covers it, UTC; null where it never does';
comment on column price_changes_now.holds_until is
'until when it holds in the last store, UTC; null while it has no end';
comment on column price_changes_now.asked_by is 'who asked for it: a person, or a policy';
comment on column price_changes_now.asked_at is 'when that was recorded, UTC';
comment on column price_changes_now.approved_by is 'who approved it last; null while nobody has';
comment on column price_changes_now.decided_by is 'who did what happened to it last';
comment on column price_changes_now.decided_at is 'when that was recorded, UTC';
comment on column price_changes_now.reason is 'why, in a sentence';
comment on column price_changes_now.expected_cost_a_day_eur is
'what it was expected to cost against the policy''s price, EUR; null without a model';
comment on column price_changes_now.is_announced is 'whether it is announced as a reduction';
comment on column price_changes_now.prior_price_eur is
'price that the announcement has to name by law, EUR; null where there is none';
comment on column price_changes_now.seen_at is
'the moment at which it is seen, UTC: the next tick of its store, or of the first one';
