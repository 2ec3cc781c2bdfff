//! Names of businesses in many scripts, and the few that are there to trip a careless page.

use super::opaque::mix;

/// A script's words and where its businesses are: (first words, second words, country, currency).
struct Script {
    first: &'static [&'static str],
    second: &'static [&'static str],
    country: &'static str,
    currency: &'static str,
}

const fn script(
    first: &'static [&'static str],
    second: &'static [&'static str],
    country: &'static str,
    currency: &'static str,
) -> Script {
    Script { first, second, country, currency }
}

#[rustfmt::skip]
const SCRIPTS: [Script; 18] = [
    script(&["Padaria", "Clínica", "Sapataria", "Livraria", "Farmácia", "Floricultura", "Ótica", "Açougue", "Confeitaria", "Oficina"],
        &["São João", "Três Irmãos", "do Sertão", "Conceição", "Boa Esperança", "Ipê Amarelo", "da Praça", "Maracujá", "Grão Fino", "Pôr do Sol"], "BR", "BRL"),
    script(&["Panadería", "Peluquería", "Zapatería", "Taquería", "Ferretería", "Óptica", "Librería", "Joyería", "Mueblería", "Heladería"],
        &["El Buen Día", "La Niña", "Tres Hermanos", "San Martín", "Corazón", "El Águila", "Doña Inés", "Mañana", "Los Ángeles", "Río Verde"], "MX", "MXN"),
    script(&["Bäckerei", "Möbelhaus", "Gärtnerei", "Blumenhaus", "Café", "Metzgerei", "Fahrradladen", "Zahnärzte", "Küchenstudio", "Reisebüro"],
        &["Müller", "Schröder", "am Süßen Grund", "Groß & Söhne", "Königsallee", "Jäger", "Weiß", "zur Brücke", "Nürnberg", "Höfle"], "DE", "EUR"),
    script(&["Boulangerie", "Crêperie", "Librairie", "Fromagerie", "Pâtisserie", "Épicerie", "Théâtre", "Hôtel", "Garage", "Pharmacie"],
        &["Élysée", "du Château", "Noël Frères", "Ça Va Bien", "de l'Étoile", "Fénelon", "Aïcha", "de la Forêt", "Gérard", "du Marché"], "FR", "EUR"),
    script(&["Northgate", "Bluebird", "Copper Lane", "Old Mill", "Sunrise", "Riverside", "Maple", "Harbor", "Granite", "Evergreen"],
        &["Roofing", "Dental", "Coffee Roasters", "Auto Repair", "Bakery", "Pet Supply", "Realty", "Fitness", "Travel", "Hardware"], "US", "USD"),
    script(&["Toko", "Warung", "Apotek", "Bengkel", "Rumah Makan", "Butik", "Kedai Kopi", "Salon", "Klinik", "Percetakan"],
        &["Maju Jaya", "Sumber Rejeki", "Bintang Timur", "Melati", "Sinar Harapan", "Cahaya", "Padang Raya", "Kenanga", "Berkah", "Nusantara"], "ID", "IDR"),
    script(&["Çiçekçi", "Fırın", "Eczane", "Kuaför", "Güneş", "Yıldız", "Köşk", "Şehir", "Işık", "Öz"],
        &["Gıda", "Turizm", "Tekstil", "Mobilya", "İnşaat", "Kuyumculuk", "Otomotiv", "Sağlık", "Lokantası", "Kitabevi"], "TR", "TRY"),
    script(&["Piekarnia", "Księgarnia", "Łódzka", "Żabka", "Świetlik", "Kwiaciarnia", "Źródło", "Cukiernia", "Apteka", "Ślusarz"],
        &["Nowak", "Kaczyński", "pod Lwem", "Błękitna", "Jagiełło", "Młyn", "Wiśniewski", "Żurawia", "Gdańska", "u Zosi"], "PL", "PLN"),
    script(&["Пекарня", "Аптека", "Книжный дом", "Ателье", "Мастерская", "Клиника", "Кофейня", "Цветы", "Автосервис", "Оптика"],
        &["Берёзка", "Заря", "на Невском", "Добрый день", "Рассвет", "Ёлочка", "Орион", "Жемчужина", "Сибирь", "Юность"], "KZ", "KZT"),
    script(&["Φούρνος", "Φαρμακείο", "Ταβέρνα", "Καφέ", "Βιβλιοπωλείο", "Ανθοπωλείο"],
        &["Ο Ήλιος", "Αθηνά", "Η Γωνιά", "του Γιάννη", "Αιγαίο", "Ακρόπολη"], "GR", "EUR"),
    script(&["مخبز", "صيدلية", "مكتبة", "مطعم", "عيادة", "متجر", "مقهى", "ورشة"],
        &["النور", "الأمل", "الياسمين", "دار السلام", "الواحة", "القمر", "الصفا", "البركة"], "EG", "EGP"),
    script(&["מאפיית", "חנות", "מסעדת", "ספרי", "קפה", "סטודיו"],
        &["הגליל", "שלום", "הכרמל", "רימון", "הזית", "כוכב"], "IL", "ILS"),
    script(&["श्री", "नव", "शुभ", "आनंद", "जय", "लक्ष्मी", "गणेश", "सूर्य"],
        &["वस्त्रालय", "मिष्ठान भंडार", "ज्वेलर्स", "मेडिकल", "पुस्तक भंडार", "ट्रेडर्स", "क्लिनिक", "फर्नीचर"], "IN", "INR"),
    script(&["அன்னை", "முருகன்", "தமிழ்", "சரவணா", "கண்ணன்", "மீனாட்சி"],
        &["ஸ்டோர்ஸ்", "உணவகம்", "மருந்தகம்", "நகை மாளிகை", "புத்தக நிலையம்", "துணிக்கடை"], "IN", "INR"),
    script(&["ร้าน", "คลินิก", "บ้าน", "โรงแรม", "ครัว", "ตลาด"],
        &["สุขใจ", "ดอกไม้ขาว", "เชียงใหม่", "น้ำใส", "ทองดี", "แสงตะวัน"], "TH", "THB"),
    script(&["龙凤", "永和", "金山", "东方", "春天", "海港", "四季", "明月"],
        &["茶馆", "书店", "药房", "家具", "面馆", "珠宝", "服装店", "旅行社"], "SG", "SGD"),
    script(&["さくら", "やまと", "みどり", "ひかり", "富士", "花"],
        &["薬局", "ベーカリー", "歯科", "書店", "食堂", "工務店"], "JP", "JPY"),
    script(&["한빛", "서울", "무지개", "행복", "미소", "푸른"],
        &["약국", "카페", "치과", "꽃집", "서점", "식당"], "KR", "KRW"),
];

/// A name and where its business is.
pub(super) struct Named {
    pub name: String,
    pub country: &'static str,
    pub currency: &'static str,
}

/// The name of the `index`th business; the first few are the awkward ones.
pub(super) fn business_name(seed: u64, index: usize) -> Named {
    let draw = mix(seed ^ mix(u64::try_from(index).unwrap_or(0)));
    // Two in three are in Latin script, which has the first eight rows.
    let script = if draw % 3 < 2 { pick(draw >> 8, 8) } else { 8 + pick(draw >> 8, SCRIPTS.len() - 8) };
    let script = &SCRIPTS[script];
    let first = script.first[pick(draw >> 16, script.first.len())];
    let second = script.second[pick(draw >> 24, script.second.len())];
    let name = awkward(index).unwrap_or_else(|| match index / 400 {
        0 => format!("{first} {second}"),
        earlier => format!("{first} {second} {}", earlier + 1),
    });
    Named { name, country: script.country, currency: script.currency }
}

/// Names that find a page's weak spots. Their places leave 0 to 2 for plain ones.
fn awkward(index: usize) -> Option<String> {
    Some(match index {
        3 => "<b>Bold & Sons</b> <script>alert('x')</script>".to_owned(),
        4 => "Kılıç ".repeat(50),
        5 => "🌮 Taco Loco 🎉👨‍👩‍👧‍👦".to_owned(),
        6 => "\u{202e}evil\u{202c} مقهى Café \"Zoë\" O'Neil".to_owned(),
        7 => "100% _Pure_ Water \\ %s {name}".to_owned(),
        _ => return None,
    })
}

/// A number from a draw, below `of`.
pub(super) fn pick(draw: u64, of: usize) -> usize {
    usize::try_from(draw % u64::try_from(of.max(1)).unwrap_or(1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_come_in_every_script_and_mostly_differ() {
        let names: Vec<String> = (0..3000).map(|index| business_name(1, index).name).collect();
        for sample in ['ã', 'Б', 'Φ', 'م', 'ש', 'ी', 'த', 'ร', '茶', 'さ', '한', '🌮', '<'] {
            assert!(names.iter().any(|name| name.contains(sample)), "{sample}");
        }
        assert!(names.iter().any(|name| name.chars().count() == 300));
        assert!(names.iter().collect::<HashSet<_>>().len() > 2000);
    }

    #[test]
    fn a_seed_gives_the_same_names_again() {
        assert_eq!(business_name(9, 400).name, business_name(9, 400).name);
        assert_ne!(
            (0..50).map(|i| business_name(9, i).name).collect::<Vec<_>>(),
            (0..50).map(|i| business_name(10, i).name).collect::<Vec<_>>()
        );
    }
}
