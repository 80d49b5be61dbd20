//! Terms: the folded words and tags by which a photo is found.
//!
//! Text is cut into terms here, once, for every store. Stores index terms as opaque strings and compare them code point by code
//! point, so that all of them give the same answer to the same search. None may tokenise, stem or fold a term again.
//!
//! # Folding
//!
//! [`fold`] makes two spellings equal where a person would not see, or not type, the difference: compatibility forms (NFKC: `ﬁ` is
//! `fi`, full-width letters are ASCII), case, and diacritics. Of the marks, only those in U+0300–036F are stripped: others are
//! letters to those who write them, such as the vowel signs of Hindi or the voicing marks of kana. So are й, ї, ў, ѓ and ќ, which stand
//! on keyboards and tell words apart, such as `мой` from `мои`: they stay, while `ё` is `е`, as Russians type it. `ß` is `ss`, as in
//! capitals, and the final `ς` is `σ`. Typographic apostrophes become `'`, the Hebrew gershayim `"`. Invisible characters that get into
//! text by copying (directional marks, soft hyphens, variation selectors) are dropped.
//!
//! # Words
//!
//! [`words`] are those of Unicode Standard Annex #29, with these differences, all made for titles and file names as people have them:
//!
//! - `_` and `:` separate words, and so does `.` unless it stands between digits: `IMG_1234.jpg` is `img`, `1234`, `jpg`, and `3.14`
//!   is one word.
//! - An article or pronoun that lost its vowel is a word of its own: `l'été` is `l`, `ete`; but `don't` is one word.
//! - An emoji is a word.
//! - Scripts that put no spaces between words (Han, Hiragana, Katakana, Thai, Lao, Khmer, Burmese and their neighbours) would need a
//!   dictionary. A run of them gives each pair of neighbouring characters instead, and its last character alone: 東京都 is 東京, 京都
//!   and 都. So every stretch of two characters or more is found by its pairs, and every single character as the beginning of some
//!   term. A character is a grapheme cluster here: a Thai consonant goes with the signs above and below it. Korean is written with
//!   spaces and needs none of this.
//! - A word is cut after [`MAX_WORD_CHARS`] characters.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// The most terms a photo has: every tag it may have, and as many words again.
pub const MAX_TERMS: usize = 100;

/// The most characters of a word that count; words that differ only beyond are the same.
pub const MAX_WORD_CHARS: usize = 64;

/// The most characters of a tag's key that count. A tag has at most 64 characters, but a character may fold into several.
pub const MAX_TAG_KEY_CHARS: usize = 128;

/// A folded word, or `#` and the [key of a tag](tag_key).
///
/// A term is never empty and holds no control character, so that a store may use one as a separator. A word holds no white space and
/// does not start with `#`; it may hold `'` and `"`. A term is at most 129 characters, which is at most 516 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Term(String);

impl Term {
    /// The term, as stores index it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for a tag rather than for a word.
    pub fn is_tag(&self) -> bool {
        self.0.starts_with('#')
    }

    /// The term of a word that came out of this module.
    pub(crate) fn word(word: String) -> Self {
        Self(word)
    }

    /// The term of a tag by its key.
    pub(crate) fn tag(key: &str) -> Self {
        Self(format!("#{key}"))
    }
}

impl AsRef<str> for Term {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Folds compatibility forms, case and diacritics, as the [module](self) says. Folding twice changes nothing more.
///
/// ```
/// use gallery_domain::terms::fold;
///
/// assert_eq!(fold("Café ＴＯＫＹＯ"), "cafe tokyo");
/// assert_eq!(fold("Straße"), fold("STRASSE"));
/// assert_eq!(fold("ガ"), "ガ");
/// ```
pub fn fold(text: &str) -> String {
    // Decomposed while case and marks are changed, so that a letter is treated alike whichever way it was encoded, and once more
    // because a lower-case letter may decompose where its capital did not.
    let lower_case = bare(text.nfkd()).flat_map(char::to_lowercase).flat_map(unified);
    bare(lower_case.nfkd()).nfkc().collect()
}

/// Decomposed text without what is folded away.
fn bare(decomposed: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let mut before = None;
    decomposed.filter(move |&c| {
        let stays = !is_folded_away(c) || before.is_some_and(|letter| makes_another_letter(letter, c));
        before = if stays { Some(c) } else { before };
        stays
    })
}

/// The words of a text as a photo is indexed by them, in their order, repeated where the text repeats them.
///
/// ```
/// use gallery_domain::terms::words;
///
/// let found: Vec<String> = words("Don’t feed IMG_1234, état-major 東京都").collect();
/// assert_eq!(found, ["don't", "feed", "img", "1234", "etat", "major", "東京", "京都", "都"]);
/// ```
pub fn words(text: &str) -> impl Iterator<Item = String> {
    pieces(text).into_iter().flat_map(|piece| match piece {
        Piece::Word(word) => vec![word],
        Piece::Run(characters) => {
            let mut terms: Vec<String> = characters.windows(2).map(<[String]>::concat).collect();
            terms.extend(characters.last().cloned());
            terms
        }
    })
}

/// What makes two tags the same tag: folded, without leading `#`, and with white space collapsed. Empty when nothing is left.
///
/// ```
/// use gallery_domain::terms::tag_key;
///
/// assert_eq!(tag_key("  New   York "), "new york");
/// assert_eq!(tag_key("#Été"), tag_key("ete"));
/// ```
pub fn tag_key(tag: &str) -> String {
    let folded = fold(tag);
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let bare = folded.trim_start_matches(|c| c == '#' || is_gap(c));
    let spaced: Vec<&str> = bare.split(is_gap).filter(|part| !part.is_empty()).collect();
    let key: String = spaced.join(" ").chars().take(MAX_TAG_KEY_CHARS).collect();
    key.trim_end().to_owned()
}

/// The terms of one photo.
///
/// Cutting texts costs more than all else that is done with a photo, so that a store keeps the terms beside it, to
/// [check](crate::search::SearchQuery::matches) candidates by: written by `Serialize`, read by `Deserialize`, which trusts what it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoTerms {
    all: Vec<Term>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    title: Vec<Term>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    description: Vec<Term>,
}

impl PhotoTerms {
    /// The terms of a photo with this title, this description, these tags, and this file name without its extension.
    ///
    /// Where there are more than [`MAX_TERMS`], those count that come first in this order: the tags, the words of the title, the words
    /// in the tags, the words of the file name, of the description.
    ///
    /// ```
    /// use gallery_domain::terms::{PhotoTerms, Term};
    ///
    /// let terms = PhotoTerms::of("Evening", "", ["Long Beach"].into_iter(), "IMG_1234");
    /// let all: Vec<&str> = terms.all().iter().map(Term::as_str).collect();
    /// assert_eq!(all, ["#long beach", "1234", "beach", "evening", "img", "long"]);
    /// ```
    pub fn of<'a>(title: &str, description: &str, tags: impl Iterator<Item = &'a str>, file_name: &str) -> Self {
        let tags: Vec<&str> = tags.collect();
        let terms_of = |text: &str| words(text).map(Term::word).collect::<Vec<_>>();
        let tag_terms: Vec<Term> =
            tags.iter().map(|tag| tag_key(tag)).filter(|key| !key.is_empty()).map(|key| Term::tag(&key)).collect();
        let tag_words: Vec<Term> = tags.iter().flat_map(|tag| terms_of(tag)).collect();
        let (title, description, file_name) = (terms_of(title), terms_of(description), terms_of(file_name));

        let mut all = BTreeSet::new();
        for term in [&tag_terms, &title, &tag_words, &file_name, &description].into_iter().flatten() {
            if all.len() == MAX_TERMS {
                break;
            }
            all.insert(term.clone());
        }
        let counted = |terms: Vec<Term>| {
            let counted: BTreeSet<Term> = terms.into_iter().filter(|term| all.contains(term)).collect();
            counted.into_iter().collect()
        };
        let (title, description) = (counted(title), counted(description));
        Self { all: all.into_iter().collect(), title, description }
    }

    /// All terms, each once, in ascending order by code point; at most [`MAX_TERMS`]. This is what a store indexes, verbatim.
    pub fn all(&self) -> &[Term] {
        &self.all
    }

    /// Those of [`all`](Self::all) that are words of the title, each once, in ascending order.
    pub fn in_title(&self) -> &[Term] {
        &self.title
    }

    /// Those of [`all`](Self::all) that are words of the description, each once, in ascending order.
    pub fn in_description(&self) -> &[Term] {
        &self.description
    }
}

/// A word as a search asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SoughtWord {
    /// The word, or two neighbouring characters, or one.
    pub(crate) word: String,
    /// Whether a longer term that starts with it will do.
    pub(crate) prefix: bool,
}

/// The words that a photo must all have for a text to be found in it. With `prefix`, the last may be the beginning of a word.
///
/// Of a run in a script without spaces these are its pairs only, since more may follow in the photo's text; a character on its own
/// is sought as a beginning, which every character of a run is.
pub(crate) fn sought_words(text: &str, prefix: bool) -> Vec<SoughtWord> {
    let pieces = pieces(text);
    let count = pieces.len();
    let mut sought = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let prefix = prefix && index + 1 == count;
        match piece {
            Piece::Word(word) => sought.push(SoughtWord { word, prefix }),
            Piece::Run(characters) => match &characters[..] {
                [alone] => sought.push(SoughtWord { word: alone.clone(), prefix: true }),
                _ => {
                    sought.extend(characters.windows(2).map(|pair| SoughtWord { word: pair.concat(), prefix: false }));
                    // No longer term starts with a pair of Han or kana; a Thai character may still get its signs.
                    if let (Some(pair), Some(last)) = (sought.last_mut(), characters.last()) {
                        pair.prefix = prefix && !last.starts_with(is_han_or_kana);
                    }
                }
            },
        }
    }
    sought
}

/// What a text falls into before the terms are made.
enum Piece {
    /// A word.
    Word(String),
    /// Characters (grapheme clusters) of scripts without spaces that follow each other; never empty.
    Run(Vec<String>),
}

/// What a character is to the words around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Separator,
    Unspaced,
    Other,
}

fn pieces(text: &str) -> Vec<Piece> {
    let characters: Vec<char> = fold(text).chars().collect();
    let is_digit = |index: usize| characters.get(index).is_some_and(|c| c.is_numeric());
    let roles = characters.iter().enumerate().map(|(index, &c)| match c {
        '_' | ':' => Role::Separator,
        '.' if !(index > 0 && is_digit(index - 1) && is_digit(index + 1)) => Role::Separator,
        c if c.is_whitespace() || c.is_control() => Role::Separator,
        c if is_unspaced(c) => Role::Unspaced,
        _ => Role::Other,
    });
    let placed: Vec<(Role, char)> = roles.zip(characters.iter().copied()).collect();

    // The annex is asked last, about stretches that nothing else divides: so each word is a word on its own too, as a query needs it.
    let mut pieces = Vec::new();
    for stretch in placed.chunk_by(|(role, _), (next, _)| role == next) {
        let text: String = stretch.iter().map(|(_, c)| c).collect();
        match stretch[0].0 {
            Role::Separator => {}
            Role::Unspaced => {
                let short = |cluster: &str| cluster.chars().take(MAX_CLUSTER_CHARS).collect();
                pieces.push(Piece::Run(text.graphemes(true).map(short).collect()));
            }
            Role::Other => add_words(&mut pieces, &text),
        }
    }
    pieces
}

fn add_words(pieces: &mut Vec<Piece>, text: &str) {
    for word in text.split_word_bounds().filter(|part| part.contains(counts_in_a_word)) {
        match word.split_once('\'') {
            Some((article, after)) if ELISIONS.contains(&article) => {
                pieces.push(Piece::Word(article.to_owned()));
                add_words(pieces, after);
            }
            _ => pieces.push(Piece::Word(cut(word))),
        }
    }
}

/// Cuts a word that is too long, so that what is left is a word of its own: not `1.` of `1.5`.
fn cut(word: &str) -> String {
    match word.char_indices().nth(MAX_WORD_CHARS) {
        None => word.to_owned(),
        Some((end, _)) => word[..end]
            .split_word_bounds()
            .find(|part| part.contains(counts_in_a_word))
            .unwrap_or(&word[..end])
            .to_owned(),
    }
}

/// Words that lose their vowel before another, in French, Italian and Catalan.
const ELISIONS: [&str; 19] = [
    "l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "un", "dell", "all", "nell", "sull",
    "dall", "quell",
];

/// More signs than any script stacks on one character.
const MAX_CLUSTER_CHARS: usize = 8;

/// Marks that are stripped, and characters one does not see.
fn is_folded_away(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}'
        | '\u{00AD}' // soft hyphen
        | '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' // direction
        | '\u{2060}' | '\u{FEFF}' // word joiners
        | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' // variation selectors
    )
}

/// Whether a letter and a mark are a letter of their own: й, ў, ї, ѓ, ќ.
fn makes_another_letter(letter: char, mark: char) -> bool {
    matches!(
        (letter, mark),
        ('и' | 'И' | 'у' | 'У', '\u{0306}') | ('і' | 'І', '\u{0308}') | ('г' | 'Г' | 'к' | 'К', '\u{0301}')
    )
}

/// Letters and punctuation that stand for one another.
fn unified(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'ß' => ('s', Some('s')),
        'ς' => ('σ', None),
        '\u{2018}' | '\u{2019}' | '\u{02BC}' | '\u{05F3}' => ('\'', None),
        '\u{05F4}' => ('"', None),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

fn counts_in_a_word(c: char) -> bool {
    c.is_alphanumeric() || is_emoji(c)
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2300}'..='\u{23FF}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Whether a character is of a script that is written without spaces between words.
fn is_unspaced(c: char) -> bool {
    is_han_or_kana(c)
        || matches!(c,
            '\u{0E01}'..='\u{0E3A}' | '\u{0E40}'..='\u{0E4E}' // Thai
            | '\u{0E81}'..='\u{0ECE}' | '\u{0EDC}'..='\u{0EDF}' // Lao
            | '\u{1000}'..='\u{103F}' | '\u{1050}'..='\u{108F}' | '\u{109A}'..='\u{109F}' // Burmese
            | '\u{A9E0}'..='\u{A9EF}' | '\u{A9FA}'..='\u{A9FE}' | '\u{AA60}'..='\u{AA7F}' // its extensions
            | '\u{1780}'..='\u{17D3}' | '\u{17D7}' | '\u{17DC}' | '\u{17DD}' // Khmer
            | '\u{1950}'..='\u{19CF}' | '\u{1A20}'..='\u{1A7C}' | '\u{AA80}'..='\u{AADF}' // Tai Le, New Tai Lue, Tai Tham, Tai Viet
        )
}

fn is_han_or_kana(c: char) -> bool {
    matches!(c,
        '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}' | '\u{303B}' // iteration marks, numerals
        | '\u{3041}'..='\u{3096}' | '\u{3099}' | '\u{309A}' | '\u{309D}'..='\u{309F}' // Hiragana
        | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' // Katakana
        | '\u{1AFF0}'..='\u{1B16F}' // kana supplements
        | '\u{2E80}'..='\u{2FDF}' | '\u{3105}'..='\u{312F}' | '\u{31A0}'..='\u{31BF}' // radicals, Bopomofo
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' // Han
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words_of(text: &str) -> Vec<String> {
        words(text).collect()
    }

    #[test]
    fn spellings_that_a_person_takes_for_equal_fold_to_the_same() {
        for (one, other) in [
            ("Café", "cafe\u{301}"),
            ("CAFE", "café"),
            ("Grüße aus Köln", "grusse aus koln"),
            ("STRASSE", "Straße"),
            ("STRAẞE", "straße"),
            ("ﬁne", "FINE"),
            ("ＩＭＧ　１２３", "img 123"),
            ("ΟΔΟΣ", "οδός"),
            ("Ёлка", "елка"),
            ("МОЙ", "мои\u{306}"),
            ("ЇЖАК", "і\u{308}жак"),
            ("ў", "У\u{306}"),
            ("ЃОН", "г\u{301}он"),
            ("ќе", "К\u{301}Е"),
            ("за\u{301}мок", "замок"),
            ("don’t", "don't"),
            ("м’ята", "мʼята"),
            ("İzmir", "izmir"),
            ("צה״ל", "צה\"ל"),
            ("ｶﾞ", "ガ"),
            ("각", "\u{1100}\u{1161}\u{11A8}"),
            ("co\u{AD}operate", "cooperate"),
            ("\u{200F}שלום\u{200E}", "שלום"),
            ("❤\u{FE0F}", "❤"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} and {other}");
        }
    }

    #[test]
    fn marks_that_are_letters_to_their_writers_stay() {
        for (one, other) in [
            ("か", "が"),
            ("हिंदी", "हद"),
            ("क", "क़"),
            ("ก", "กิ"),
            ("가", "각"),
            ("мой", "мои"),
            ("їжа", "іжа"),
            ("ў", "у"),
            ("ѓон", "гон"),
            ("ќе", "ке"),
        ] {
            assert_ne!(fold(one), fold(other), "{one} and {other}");
        }
        assert_eq!(fold("हिंदी"), "हिंदी");
        assert_eq!(fold("한국"), "한국");
        assert_eq!(fold("И\u{301}\u{306}"), "й", "the stress goes, the letter stays");
    }

    #[test]
    fn every_character_is_folded_once_and_for_all() {
        for c in '\0'..=char::MAX {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn words_are_found_in_many_scripts() {
        for (text, expected) in [
            ("Été à la plage", &["ete", "a", "la", "plage"][..]),
            ("Größe, Übung!", &["grosse", "ubung"]),
            ("Η Ακρόπολη της Αθήνας", &["η", "ακροπολη", "τησ", "αθηνασ"]),
            ("Москва-река", &["москва", "река"]),
            ("غروب الشمس", &["غروب", "الشمس"]),
            ("ירושלים של זהב", &["ירושלים", "של", "זהב"]),
            ("हिंदी में", &["हिंदी", "में"]),
            ("ทะเล", &["ทะ", "ะเ", "เล", "ล"]),
            ("น้ำ", &["น้\u{E4D}า", "า"]),
            ("富士山に登る", &["富士", "士山", "山に", "に登", "登る", "る"]),
            ("東京タワー", &["東京", "京タ", "タワ", "ワー", "ー"]),
            ("서울 야경", &["서울", "야경"]),
            ("北京 2024年", &["北京", "京", "2024", "年"]),
            ("ភ្នំពេញ", &["ភ្នំពេ", "ពេញ", "ញ"]),
        ] {
            assert_eq!(words_of(text), expected, "{text}");
        }
    }

    #[test]
    fn words_are_found_in_file_names_and_hard_cases() {
        for (text, expected) in [
            ("IMG_1234.jpg", &["img", "1234", "jpg"][..]),
            ("beach.final.png", &["beach", "final", "png"]),
            ("don't don’t", &["don't", "don't"]),
            ("état-major", &["etat", "major"]),
            ("L’été d'Étretat, dell'arte", &["l", "ete", "d", "etretat", "dell", "arte"]),
            ("O'Brien's", &["o'brien's"]),
            ("ﬁsh ＦＵＬＬ", &["fish", "full"]),
            ("at 12:30, f/2.8", &["at", "12", "30", "f", "2.8"]),
            ("v2.", &["v2"]),
            ("צה״ל", &["צה\"ל"]),
            ("party 🎉👨‍👩‍👧!", &["party", "🎉", "👨‍👩‍👧"]),
            (" … ?!", &[]),
            ("a \u{FC5E}b", &["a", "\u{64C}\u{651}", "b"]),
        ] {
            assert_eq!(words_of(text), expected, "{text}");
        }
    }

    #[test]
    fn a_long_word_is_cut_and_stays_a_word() {
        assert_eq!(words_of(&"x".repeat(70)), ["x".repeat(64)]);
        let digits = format!("{}.5", "1".repeat(63));
        assert_eq!(words_of(&digits), ["1".repeat(63)]);
    }

    #[test]
    fn a_single_character_of_an_unspaced_script_is_sought_as_a_beginning() {
        let sought = sought_words("山", false);
        assert_eq!(sought, [SoughtWord { word: "山".into(), prefix: true }]);
        for text in ["山", "富士山", "山登り", "火山灰"] {
            assert!(words(text).any(|word| word.starts_with("山")), "{text}");
        }
    }

    #[test]
    fn tags_of_one_key_differ_only_in_what_folds() {
        assert_eq!(tag_key("#New\tYork"), "new york");
        assert_eq!(tag_key("＃ été"), "ete");
        assert_eq!(tag_key(" # "), "");
        assert_ne!(tag_key("newyork"), tag_key("new york"));
        assert_eq!(tag_key(&"ﷺ".repeat(64)).chars().count(), MAX_TAG_KEY_CHARS);
    }

    #[test]
    fn a_photo_has_its_tags_first_and_no_more_terms_than_the_limit() {
        let tags: Vec<String> = (0..50).map(|n| format!("tag{n}")).collect();
        let words: Vec<String> = (0..60).map(|n| format!("word{n}")).collect();
        let terms = PhotoTerms::of("title", &words.join(" "), tags.iter().map(String::as_str), "file");
        assert_eq!(terms.all().len(), MAX_TERMS);
        assert_eq!(terms.all().iter().filter(|term| term.is_tag()).count(), 50);
        assert_eq!(terms.in_title().len(), 1, "the title's word comes before the words in the tags");
        assert!(terms.in_description().is_empty(), "the description's words came after the limit");
    }

    #[test]
    fn a_photo_knows_which_words_stand_in_its_title_and_description() {
        let terms = PhotoTerms::of("Sunset at the beach", "The beach of Sylt", ["Beach"].into_iter(), "IMG_1");
        let texts = |terms: &[Term]| terms.iter().map(Term::to_string).collect::<Vec<_>>();
        assert_eq!(texts(terms.all()), ["#beach", "1", "at", "beach", "img", "of", "sunset", "sylt", "the"]);
        assert_eq!(texts(terms.in_title()), ["at", "beach", "sunset", "the"]);
        assert_eq!(texts(terms.in_description()), ["beach", "of", "sylt", "the"]);
    }

    #[test]
    fn terms_are_read_back_as_they_were_written() {
        for (title, description, written) in [
            ("", "", r##"{"all":["#lake","img","lake"]}"##),
            (
                "Été",
                "au lac",
                r##"{"all":["#lake","au","ete","img","lac","lake"],"title":["ete"],"description":["au","lac"]}"##,
            ),
        ] {
            let terms = PhotoTerms::of(title, description, ["Lake"].into_iter(), "IMG");
            assert_eq!(serde_json::to_string(&terms).unwrap(), written);
            assert_eq!(serde_json::from_str::<PhotoTerms>(written).unwrap(), terms);
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing_more(text in prop_oneof![any::<String>(), "[иІгук\u{301}\u{306}\u{308}\u{323}\u{AD}]{0,8}"]) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn a_key_is_its_own_key(tag in any::<String>()) {
            let key = tag_key(&tag);
            prop_assert_eq!(tag_key(&key), key);
        }

        #[test]
        fn a_sought_word_is_its_own_sought_word(text in "[\\PC\\p{M}\\p{Lo}.'\"_:]{0,20}") {
            for sought in sought_words(&text, false) {
                prop_assert_eq!(sought_words(&sought.word, false), vec![sought.clone()]);
            }
        }

        #[test]
        fn every_text_holds_what_is_sought_by_the_same_text(text in any::<String>(), prefix in any::<bool>()) {
            let words = words_of(&text);
            for sought in sought_words(&text, prefix) {
                let found = words.iter().any(|word| *word == sought.word || sought.prefix && word.starts_with(&sought.word));
                prop_assert!(found, "{:?} in {:?}", sought, words);
            }
        }

        #[test]
        fn terms_are_sorted_unique_short_and_without_control_characters(
            title in any::<String>(), description in any::<String>(), tags in proptest::collection::vec(any::<String>(), 0..60)
        ) {
            let terms = PhotoTerms::of(&title, &description, tags.iter().map(String::as_str), "");
            prop_assert!(terms.all().len() <= MAX_TERMS);
            prop_assert!(terms.all().is_sorted_by(|one, next| one < next));
            for term in terms.all() {
                prop_assert!(!term.as_str().is_empty() && term.as_str().chars().count() <= MAX_TAG_KEY_CHARS + 1);
                prop_assert!(!term.as_str().contains(char::is_control));
                prop_assert!(term.is_tag() || !term.as_str().contains(char::is_whitespace));
            }
            for term in terms.in_title().iter().chain(terms.in_description()) {
                prop_assert!(terms.all().binary_search(term).is_ok());
            }
        }
    }
}
