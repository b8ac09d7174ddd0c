#include <gtest/gtest.h>

#include "answers/date.hpp"
#include "answers/normalize.hpp"

namespace orchestrator {
namespace {

struct Example {
  const char* text;
  const char* form;
};

TEST(Date, UnmistakableSpellingsShareAForm) {
  for (const auto& [text, form] : {Example{"2021-05-01", "2021-05-01"},
                                   {"2021/05/01", "2021-05-01"},
                                   {"May 1, 2021", "2021-05-01"},
                                   {"May 1st 2021", "2021-05-01"},
                                   {"1 may 2021", "2021-05-01"},
                                   {"1st of May, 2021", "2021-05-01"},
                                   {"01-May-2021", "2021-05-01"},
                                   {"Saturday, May 1, 2021", "2021-05-01"},
                                   {"Sept. 3, 2020", "2020-09-03"},
                                   {"May 2021", "2021-05"},
                                   {"May 1", "--05-01"},
                                   {"10:30", "T10:30"},
                                   {"10:30 AM", "T10:30"},
                                   {"10:30:00", "T10:30"},
                                   {"10:30 p.m.", "T22:30"},
                                   {"22:30", "T22:30"},
                                   {"10pm", "T22:00"},
                                   {"12 AM", "T00:00"},
                                   {"12:05 pm", "T12:05"},
                                   {"noon", "T12:00"},
                                   {"10 o'clock", "T10:00"},
                                   {"2021-05-01T10:30:00Z", "2021-05-01T10:30Z"},
                                   {"2021-05-01T10:30+02:00", "2021-05-01T10:30+02:00"},
                                   {"May 1, 2021 at 10:30 PM", "2021-05-01T22:30"},
                                   {"10:30 on May 1, 2021", "2021-05-01T10:30"},
                                   {"05/01/2021", "05/01/2021"}}) {
    EXPECT_EQ(parse_date(text, DateForms::unmistakable), form) << text;
  }
}

TEST(Date, ATaskAboutDatesReadsTheMonthFirstAndWithPointsTheDay) {
  for (const auto& [text, form] : {Example{"05/01/2021", "2021-05-01"},
                                   {"5-1-2021", "2021-05-01"},
                                   {"25/12/2021", "2021-12-25"},
                                   {"12/25/2021", "2021-12-25"},
                                   {"01.05.2021", "2021-05-01"},
                                   {"5/1/21", "2021-05-01"},
                                   {"5/1/69", "1969-05-01"},
                                   {"2021-5-1", "2021-05-01"},
                                   {"2021", "2021"}}) {
    EXPECT_EQ(parse_date(text, DateForms::any), form) << text;
  }
}

TEST(Date, WhatTheCalendarOrTheClockDoesNotHaveIsNoDate) {
  for (const char* text :
       {"2021-02-29", "1900-02-29", "2021-13-01", "May 32, 2021", "Sunday, May 1, 2021", "24:00",
        "12:60", "13:30 AM", "0:30 PM", "10:30-11:30", "May", "1", "10", "13/13/2021", "0000-05-01",
        "May 1, 2021 BC", "1/2/3", "10:3", "at noon"}) {
    EXPECT_EQ(parse_date(text, DateForms::any), std::nullopt) << text;
  }
  EXPECT_EQ(parse_date("2000-02-29", DateForms::any), "2000-02-29");
  EXPECT_EQ(parse_date("5-1-2021", DateForms::unmistakable), std::nullopt);
  EXPECT_EQ(parse_date("05/01/2021 at noon", DateForms::unmistakable), std::nullopt);
}

TEST(Date, OnlyTheKindsAutoAndDateKnowDates) {
  EXPECT_EQ(normalize("**May 1, 2021.**", Kind::automatic), "d:2021-05-01");
  EXPECT_EQ(normalize("\\text{May 1, 2021}", Kind::date), "d:2021-05-01");
  EXPECT_EQ(normalize("May 1, 2021", Kind::text), "t:may 1, 2021");
  EXPECT_EQ(normalize("10:30", Kind::math), normalize("1:3", Kind::math));  // a ratio
  EXPECT_EQ(normalize("2021-05-01", Kind::math), "m:2021-05-01");           // no difference
  EXPECT_EQ(normalize("05/02/2021", Kind::math), "m:05/02/2021");           // no quotient
  EXPECT_EQ(normalize("10/2/5", Kind::math), "n:1");
  EXPECT_EQ(normalize("tomorrow", Kind::date), "t:tomorrow");
  EXPECT_EQ(kind_of_key("d:T10:30"), Kind::date);
}

TEST(Boolean, YesAndTrueAreOneAnswerUnderTheirKindOnly) {
  for (const char* text : {"yes", "Yes.", "TRUE", "\\text{correct}", "**Y**"}) {
    EXPECT_EQ(normalize(text, Kind::boolean), "b:true") << text;
  }
  for (const char* text : {"no", "False!", "incorrect", "not true", "n"}) {
    EXPECT_EQ(normalize(text, Kind::boolean), "b:false") << text;
  }
  EXPECT_EQ(normalize("maybe", Kind::boolean), "t:maybe");
  EXPECT_EQ(normalize("Yes", Kind::automatic), "t:yes");
  EXPECT_EQ(normalize("True", Kind::automatic), "t:true");
  EXPECT_EQ(kind_of_key("b:true"), Kind::boolean);
}

}  // namespace
}  // namespace orchestrator
