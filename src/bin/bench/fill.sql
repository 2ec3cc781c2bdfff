-- Fills businesses up to bench.size for the partner under test, and for nineteen others a twentieth of that each: names folded and cut
-- into words as businesses/name_key.rs does it, one WABA a business.
WITH lists AS (
    SELECT
        ARRAY['Aangan','Açaí','Banyan','Casa','Chai','Drogaria','Estrela','Ferreira','Gulmohar','Harbour','Ikat','Jatobá','Kaveri','Lótus',
            'Masala','Nimbus','Ouro','Pérola','Quinta','Raga','Sálvia','Tamarind','Umbra','Verde','Willow','Xadrez','Yarrow','Zebra',
            'Книга','Лавка','متجر','مقهى','दुकान','चाय','東京','商店'] AS first,
        ARRAY['Textiles','do Norte','Leaf','Decorações','Charter','Sete','Mercados','Lima','Opticals','Home','Loom','Odontologia','Junction',
            'Pharmacy','Travel','Seguros','Móveis','Foods','Studio','Clinic','Motors','Garden','Books','Fitness','Bakery','Media'] AS second,
        ARRAY['Ltd','SA','GmbH','Group','Store','Online','Express','Prime','Central','Sul','Leste','Plus','One','Labs','& Sons','Co'] AS third
), made AS (
    SELECT CASE WHEN partner = 1 THEN '102000000000001' ELSE (102000000001000 + partner)::text END AS partner_id, n,
        first[1 + (n * 7919 + partner) % cardinality(first)] || ' ' || second[1 + (n * 104729 / 13) % cardinality(second)] || ' '
            || third[1 + (n / 31) % cardinality(third)] || ' ' || n AS name
    FROM lists, generate_series(1, 20) AS partner,
        generate_series(1, CASE WHEN partner = 1 THEN current_setting('bench.size')::bigint ELSE current_setting('bench.size')::bigint / 20 END) AS n
), keyed AS (
    SELECT *, lower(regexp_replace(normalize(name, NFKD), U&'[\0300-\036f\0900-\0903\093a-\094f]', '', 'g')) AS key FROM made
)
INSERT INTO businesses (partner_id, business_id, name, name_key, country, wabas, eligible_wabas, standing, first_seen_at)
SELECT partner_id, (700000000000000 + n * 17)::text, name, key, 'BR', 1, CASE WHEN n % 3 = 0 THEN 1 ELSE 0 END, CASE WHEN n % 3 = 0 THEN 'eligible' ELSE 'not_eligible' END, now()
FROM keyed
ON CONFLICT (partner_id, business_id) DO NOTHING;
INSERT INTO business_words (partner_id, business_id, name_key, words)
SELECT partner_id, business_id, name_key, (
    SELECT string_agg(format('''%s/%s'':%s', partner_id, word[1], place), ' ' ORDER BY place)::tsvector
    FROM regexp_matches(name_key, U&'[\4e00-\9fff]|(?:(?![\4e00-\9fff])[[:alnum:]])+', 'g') WITH ORDINALITY AS cut (word, place)
)
FROM businesses WHERE business_id LIKE '700%'
ON CONFLICT (partner_id, business_id) DO NOTHING;
INSERT INTO wabas (partner_id, waba_id, business_id, name, link, eligibility, country, first_seen_at, changed_at)
SELECT partner_id, '8' || business_id, business_id, name, 'shared', CASE WHEN eligible_wabas = 1 THEN 'ELIGIBLE' ELSE 'INELIGIBLE_COUNTRY_NOT_SUPPORTED' END,
    'BR', first_seen_at, first_seen_at
FROM businesses WHERE business_id LIKE '700%'
ON CONFLICT (partner_id, waba_id) DO NOTHING;
