use super::*;
use crate::businesses::{
    query::{Filter, Place},
    search::Search,
};

async fn seed(tx: &mut TenantTx, names: &[(&str, &str)]) {
    let seen = all_of(names.iter().map(|(digits, name)| business(digits, name, &["ELIGIBLE"])));
    sync(tx, &seen, MONDAY).await;
}

async fn names(tx: &mut TenantTx, typed: &str) -> Vec<String> {
    let search = Search::read(typed).unwrap();
    let found = find(tx, &search).await.unwrap();
    let page = list(tx, Filter::All, Some(&found), &Place::Start, STALLED_BEFORE).await.unwrap().unwrap();
    page.businesses.into_iter().map(|business| business.name).collect()
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn who_has_left_is_found_by_name_after_those_who_are_there(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let old = all_of([business("71", "Studio 54 Velho", &["ELIGIBLE"]), business("72", "Outro Studio", &["ELIGIBLE"])]);
    sync(&mut tx, &old, MONDAY).await;
    sync(&mut tx, &business("73", "Studio 54", &["ELIGIBLE"]), TUESDAY).await;
    let mut named = async |typed: &str, most: usize| {
        let (found, more) = crate::businesses::businesses_named(&mut tx, typed, most, WEDNESDAY).await.unwrap();
        (found.into_iter().map(|business| business.id.to_string()).collect::<Vec<_>>(), more)
    };
    assert_eq!(named("studio 54", 9).await, (vec!["73".to_owned(), "71".to_owned()], false));
    assert_eq!(named("Velho", 9).await, (vec!["71".to_owned()], false));
    assert_eq!(named("studio", 2).await.0.len(), 2);
    assert!(named("studio", 2).await.1, "there is one more");
    assert_eq!(named("72", 9).await, (Vec::new(), false), "digits are no id here");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_name_is_found_by_its_beginning_by_words_inside_and_in_any_script(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    seed(
        &mut tx,
        &[
            ("1001", "Estrela Mercados"),
            ("1002", "Casa Estrela do Ipê"),
            ("1003", "Açaí do Norte"),
            ("1004", "متجر النور"),
            ("1005", "Кофейня Ёлка"),
            ("1006", "株式会社千葉商店"),
            ("1007", "🍕 Pizza Łódź"),
            ("1008", "24 Horas Drogaria"),
            ("1009", "สวนดอกไม้กรุงเทพ"),
            ("1010", "한국상회"),
            ("1011", "Mamma🍕Mia"),
        ],
    )
    .await;
    for (typed, expected) in [
        ("est", vec!["Casa Estrela do Ipê", "Estrela Mercados"]),
        ("ESTRELA  merc", vec!["Estrela Mercados"]),
        ("merc estrela", vec!["Estrela Mercados"]),
        ("estrela d", vec!["Casa Estrela do Ipê"]),
        ("estrela x", vec![]),
        ("acai", vec!["Açaí do Norte"]),
        ("ipe", vec!["Casa Estrela do Ipê"]),
        ("do", vec!["Açaí do Norte", "Casa Estrela do Ipê"]),
        ("النور", vec!["متجر النور"]),
        ("مَتْجَر", vec!["متجر النور"]),
        ("елк", vec!["Кофейня Ёлка"]),
        ("КОФЕ", vec!["Кофейня Ёлка"]),
        ("株式", vec!["株式会社千葉商店"]),
        ("千葉", vec!["株式会社千葉商店"]),
        ("店", vec!["株式会社千葉商店"]),
        ("葉千", vec![]),
        ("한국", vec!["한국상회"]),
        ("한ㄱ", vec!["한국상회"]),
        ("ดอกไม้", vec!["สวนดอกไม้กรุงเทพ"]),
        ("🍕", vec!["Mamma🍕Mia", "🍕 Pizza Łódź"]),
        ("lodz", vec!["🍕 Pizza Łódź"]),
        ("24", vec!["24 Horas Drogaria"]),
        ("24 h", vec!["24 Horas Drogaria"]),
        ("1001", vec!["Estrela Mercados"]),
        ("'\"\\%_&|!():*", vec![]),
        ("\u{200B}", vec![]),
    ] {
        assert_eq!(names(&mut tx, typed).await, expected, "{typed:?}");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn digits_are_an_id_then_its_beginning_then_a_name(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    seed(&mut tx, &[("17450933", "A"), ("17450999", "B"), ("2", "1745 Wines"), ("3", "Route 66")]).await;
    let find = async |tx: &mut TenantTx, typed: &str| find(tx, &Search::read(typed).unwrap()).await.unwrap();
    assert_eq!(find(&mut tx, "17450933").await.hits[0].id, "17450933");
    assert_eq!(find(&mut tx, "17450933").await.waba, None);
    assert_eq!(names(&mut tx, "1745").await, ["A", "B"], "the beginnings of ids come before names");
    assert_eq!(names(&mut tx, "66").await, ["Route 66"]);
    assert_eq!(names(&mut tx, "17").await, ["1745 Wines"], "few digits are a name first");
    assert_eq!(names(&mut tx, "174509").await, ["A", "B"]);
    assert_eq!(names(&mut tx, "1745093").await, ["A"]);
    let by_waba = find(&mut tx, "174509330").await;
    assert_eq!(by_waba.waba, Some("174509330".parse().unwrap()));
    assert_eq!(names(&mut tx, "174509330").await, ["A"]);
    assert_eq!(names(&mut tx, "99999999").await, Vec::<String>::new());
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_misspelt_name_brings_the_near_ones(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    seed(&mut tx, &[("1", "Estrela Mercados"), ("2", "Banyan Leaf Pharmacy"), ("3", "株式会社千葉商店")]).await;
    tx.commit().await.unwrap();
    for (typed, expected) in [
        ("estrella mercado", vec!["Estrela Mercados"]),
        ("banian leaf", vec!["Banyan Leaf Pharmacy"]),
        ("farmacia leaf", vec!["Banyan Leaf Pharmacy"]),
        ("leaf estrela", vec!["Estrela Mercados", "Banyan Leaf Pharmacy"]),
        ("千葉 estrla", vec!["Estrela Mercados", "株式会社千葉商店"]),
        ("千葉商点", vec!["株式会社千葉商店"]),
        ("zzzz", vec![]),
        ("9999", vec![]),
    ] {
        let near = name_like(tenant(&pool, "1").await, &Search::read(typed).unwrap()).await.unwrap();
        let near: Vec<&str> = near.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(near, expected, "{typed}");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_name_of_before_brings_todays(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    seed(&mut tx, &[("1", "Estrella Mercados")]).await;
    seed(&mut tx, &[("1", "Estrela Mercados")]).await;
    assert_eq!(names(&mut tx, "estrella").await, Vec::<String>::new());
    let near = name_like(tx, &Search::read("estrella").unwrap()).await.unwrap();
    assert_eq!(near.len(), 1, "though the word is known still");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_question_of_many_short_words_is_answered(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let endings = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"];
    let name = |ending: &str| {
        ["bar", "cas", "flo", "lua", "mar", "sol", "vin", "zeb"].map(|w| format!("{w}{ending}")).join(" ")
    };
    let all: Vec<(String, String)> =
        endings.iter().zip(1..).map(|(ending, n)| (format!("10{n:02}"), name(ending))).collect();
    let all: Vec<(&str, &str)> = all.iter().map(|(digits, name)| (digits.as_str(), name.as_str())).collect();
    seed(&mut tx, &all).await;
    // 160 words begin so: more than are looked for one by one.
    assert_eq!(names(&mut tx, "bar cas flo lua mar sol vin zeb").await.len(), 20);
    assert_eq!(names(&mut tx, "bar cas flo lua mar sol vin zebq").await, [name("q")]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_common_word_is_counted_to_a_cap(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let seen = all_of((0..1_100).map(|at| business(&format!("5{at:04}"), &format!("{} Shop", at % 10), &["ELIGIBLE"])));
    sync(&mut tx, &seen, MONDAY).await;
    let common = find(&mut tx, &Search::read("shop").unwrap()).await.unwrap();
    let counts = count_found(&mut tx, &common, STALLED_BEFORE).await.unwrap();
    assert_eq!(counts.of(Filter::All), Count { n: 1_000, or_more: true });
    let rare = find(&mut tx, &Search::read("3 shop").unwrap()).await.unwrap();
    let counts = count_found(&mut tx, &rare, STALLED_BEFORE).await.unwrap();
    assert_eq!(counts.of(Filter::All).n, 110);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_business_that_left_is_not_found(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    seed(&mut tx, &[("1001", "Estrela"), ("1002", "Banyan")]).await;
    sync(&mut tx, &business("1002", "Banyan", &["ELIGIBLE"]), TUESDAY).await;
    for typed in ["estrela", "1001", "est"] {
        assert_eq!(names(&mut tx, typed).await, Vec::<String>::new(), "{typed}");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_beginning_finds_all_names_however_many_words_begin_so(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let many: Vec<(String, String)> = (0..60)
        .map(|n| (format!("1{n:03}"), format!("Casa Mar{n:03} {}", if n < 20 { "Norte" } else { "Sul" })))
        .collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(digits, name)| (digits.as_str(), name.as_str())).collect();
    seed(&mut tx, &many).await;
    let mut found = async |typed: &str| find(&mut tx, &Search::read(typed).unwrap()).await.unwrap().hits.len();
    for (typed, expected) in [
        ("mar", 60),
        ("mar01", 10),
        ("mar nor", 20),
        ("sul mar03", 10),
        ("norte mar03", 0),
        ("mar ost", 0),
        ("mar s", 40),
        ("mar x", 0),
    ] {
        assert_eq!(found(typed).await, expected, "{typed:?}");
    }
    seed(&mut tx, &[("1007", "Ostra Azul")]).await;
    assert_eq!(names(&mut tx, "azul ost").await, ["Ostra Azul"], "a new name brings its words along");
    drop(tx);
    let mut theirs = tenant(&pool, "2").await;
    seed(&mut theirs, &[("1001", "Maré")]).await;
    assert_eq!(names(&mut theirs, "mare").await, ["Maré"]);
    let known: Vec<String> =
        sqlx::query_scalar("SELECT word FROM name_words ORDER BY word").fetch_all(&mut *theirs).await.unwrap();
    assert_eq!(known, ["mare"], "another partner's words aren't seen");
}
