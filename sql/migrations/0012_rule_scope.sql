-- A rule can be of one mine, of a country or of a commodity.

set local role minecam_admin;

alter table rule
    add mine_id   integer references mine,
    add country   text,
    add commodity text;
comment on column rule.mine_id is 'The only mine that the rule is for; null: all';
comment on column rule.country is 'Country of the mines that the rule is for; null: any';
comment on column rule.commodity is 'Commodity of the mines that the rule is for; null: any';

create view rule_mine as
select r.rule_id, m.mine_id
from rule r
join mine m on (r.mine_id is null or r.mine_id = m.mine_id)
           and (r.country is null or lower(r.country) = lower(m.country))
           and (r.commodity is null or lower(r.commodity) = lower(m.commodity))
where m.retired_at is null;
comment on view rule_mine is 'Which mines a rule is for';
comment on column rule_mine.rule_id is 'The rule, whether it is enabled or not';
comment on column rule_mine.mine_id is 'A mine that is watched';
