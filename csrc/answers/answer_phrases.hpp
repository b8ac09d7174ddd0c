// How languages say "the answer is": data for marks.cpp.
//
// A phrase is a word for "answer", links after it in any number ("correcta", "final", "es") and
// then the answer. It marks one when a colon or a verb is among the links, or when what follows can
// hardly be anything else: a number, a formula, a lone capital letter. ASCII letters stand in lower
// case.
#pragma once

#include <array>
#include <string_view>

namespace orchestrator::phrases {

// Words of languages in Latin letters, with two neighbouring letters of theirs that are rare in
// English, by which they are searched: `at` is where the second of the two stands. marks.cpp lists
// the pairs.
struct AnswerWord {
  std::string_view word;
  std::size_t at;  // in bytes
};

inline constexpr auto kLatin = std::to_array<AnswerWord>({
    {"réponse", 3},      // French
    {"reponse", 2},      // without its accent
    {"respuesta", 3},    // Spanish
    {"resposta", 3},     // Portuguese, Catalan
    {"risposta", 3},     // Italian
    {"răspunsul", 4},    // Romanian
    {"cevap", 3},        // Turkish
    {"đáp án", 4},       // Vietnamese
    {"Đáp án", 4},       //
    {"câu trả lời", 7},  //
    {"Câu trả lời", 7},  //
    {"odpověď", 2},      // Czech
    {"odpowiedź", 2},    // Polish
    {"odpoveď", 2},      // Slovak
    {"odgovor", 2},      // Croatian, Serbian, Slovene
    {"svaret", 1},       // Swedish, Danish, Norwegian
    {"svar", 1},         // the same without its article
    {"válasz", 1},       // Hungarian
    {"vastaus", 1},      // Finnish
    {"antwort", 3},      // German
    {"antwoord", 3},     // Dutch, Afrikaans
    {"jawaban", 1},      // Indonesian, Malay
    {"jawapan", 1},      // Malay
});

// Words of other scripts, and of Latin ones whose letters offer no anchor.
inline constexpr auto kOther = std::to_array<std::string_view>({
    "答案",       // Chinese
    "故选",       // "therefore choose"
    "故選",       //
    "选择",       //
    "應選",       //
    "应选",       //
    "选项",       // "option"
    "選項",       //
    "答え",       // Japanese
    "正解",       //
    "解答",       //
    "回答",       //
    "정답",       // Korean
    "답",         //
    "ответ",      // Russian
    "Ответ",      //
    "відповідь",  // Ukrainian
    "Відповідь",  //
    "отговор",    // Bulgarian
    "Отговор",    //
    "одговор",    // Serbian
    "Απάντηση",   // Greek
    "απάντηση",   //
    "الإجابة",    // Arabic
    "الاجابة",    //
    "الجواب",     //
    "جواب",       // Urdu, Persian
    "پاسخ",       // Persian
    "תשובה",      // Hebrew
    "उत्तर",       // Hindi, Marathi, Nepali
    "উত্তর",       // Bengali
    "விடை",       // Tamil
    "பதில்",       //
    "సమాధానం",      // Telugu
    "คำตอบ",      // Thai
});

struct Link {
  std::string_view word;
  bool verb;          // it says that the answer follows
  bool whole = true;  // of words with spaces between them; false where scripts write none
};

inline constexpr auto kLinks = std::to_array<Link>({
    // French, Spanish, Portuguese, Italian, Romanian
    {"est", true},
    {"es", true},
    {"é", true},
    {"è", true},
    {"este", true},
    {"sont", true},
    {"son", true},
    {"sono", true},
    {"são", true},
    {"sería", true},
    {"seria", true},
    {"serait", true},
    {"sarebbe", true},
    {"finale", false},
    {"final", false},
    {"correcte", false},
    {"correcta", false},
    {"correta", false},
    {"corretta", false},
    {"corect", false},
    {"correct", false},
    {"donc", false},
    {"la", false},
    {"le", false},
    {"l'option", false},
    {"option", false},
    {"opción", false},
    {"opção", false},
    {"opzione", false},
    {"lettre", false},
    {"letra", false},
    {"a", false},
    // German, Dutch, the Nordic languages
    {"ist", true},
    {"lautet", true},
    {"wäre", true},
    {"is", true},
    {"luidt", true},
    {"är", true},
    {"er", true},
    {"also", false},
    {"daher", false},
    {"dus", false},
    {"die", false},
    {"der", false},
    // Polish, Czech, Slovak, South Slavic, Hungarian, Finnish, Turkish, Indonesian
    {"to", true},
    {"brzmi", true},
    {"je", true},
    {"on", true},
    {"olarak", false},
    {"adalah", true},
    {"ialah", true},
    {"yang", false},
    {"benar", false},
    {"akhir", false},
    {"akhirnya", false},
    {"nya", false, false},
    // Vietnamese
    {"là", true},
    {"đúng", false},
    {"cuối cùng", false},
    {"cần chọn", false},
    {"chính xác", false},
    {"của", false},
    // Cyrillic and Greek
    {"—", true, false},
    {"–", true, false},
    {"это", true},
    {"є", true},
    {"це", true},
    {"е", true},
    {"является", true},
    {"равен", true},
    {"будет", true},
    {"правильный", false},
    {"верный", false},
    {"окончательный", false},
    {"на", false},
    {"задачу", false},
    {"вопрос", false},
    {"вариант", false},
    {"είναι", true},
    // Chinese, Japanese, Korean
    {"是", true, false},
    {"为", true, false},
    {"為", true, false},
    {"应为", true, false},
    {"應為", true, false},
    {"应该是", true, false},
    {"选择", true, false},
    {"选项", false, false},
    {"选", true, false},
    {"選", true, false},
    {"就", false, false},
    {"应该", false, false},
    {"は", true, false},
    {"が", true, false},
    {"として", false, false},
    {"은", true, false},
    {"는", true, false},
    {"이", true, false},
    // Arabic, Persian, Urdu, Hebrew
    {"هي", true},
    {"هو", true},
    {"الصحيحة", false},
    {"الصحيح", false},
    {"النهائية", false},
    {"النهائي", false},
    {"برابر", false},
    {"است", true},
    {"ہے", true},
    {"صحیح", false},
    {"درست", false},
    {"היא", true},
    {"הוא", true},
    {"הנכונה", false},
    {"הסופית", false},
    // Hindi, Bengali, Thai
    {"है", true},
    {"होगा", true},
    {"হল", true},
    {"হলো", true},
    {"คือ", true, false},
    {"ที่ถูกต้อง", false, false},
    {"ที่ถูก", false, false},
    {"สุดท้าย", false, false},
    {"เป็น", true, false},
});

// "The answer is not ..." marks nothing.
inline constexpr auto kNegations = std::to_array<std::string_view>(
    {"nicht", "pas",   "no", "non", "não", "nu",   "niet", "inte", "ikke", "nie",  "nem",
     "ei",    "bukan", "не", "δεν", "ليس", "ليست", "לא",   "नहीं",  "ไม่",   "không"});

// Verbs that languages put after the answer, with what joins them to it: taken off its end.
inline constexpr auto kClosings = std::to_array<std::string_view>(
    {"입니다", "이다", "이에요", "예요", "です", "である", "となります", "になります", "だ", "है",
     "होगा", "हैं", "'dır", "'dir", "'dur", "'dür", "'tır", "'tir", "'tür"});

// Where a clause ends besides "." and the line's end.
inline constexpr auto kSentenceEnds = std::to_array<std::string_view>({"。", "।", "۔", "！"});

// "I don't know" and its like; see refusals in statement.cpp for English.
inline constexpr auto kRefusals = std::to_array<std::string_view>(
    {"je ne sais pas", "no lo sé",       "no sé",           "não sei",
     "non lo so",      "ich weiß nicht", "ich weiss nicht", "ik weet het niet",
     "nie wiem",       "bilmiyorum",     "tôi không biết",  "saya tidak tahu",
     "не знаю",        "я не знаю",      "我不知道",        "不知道",
     "无法回答",       "わかりません",   "分かりません",    "모르겠습니다"});

}  // namespace orchestrator::phrases
