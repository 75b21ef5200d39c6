// The words of the German book and its grammar: genders, cases and the endings of adjectives.
// Rare words are left out, and nouns in the plural, because a row of a table is one thing. A noun
// is written with its article, which is its gender; where accusative and dative differ, both forms
// are given: "der Junge/Jungen". People have names without an article, and their gender from the
// column `er`.
// Read next: german_plots.cpp, the stories themselves.
#include <fmt/core.h>

#include <algorithm>

#include "core/check.h"
#include "models/text/corpus/books.h"

namespace smoe {

std::string_view german_tables() {
    return R"(
table kind: name, er, sein, art, freund
Anna | sie | ihr | das Mädchen | die Freundin
Lena | sie | ihr | das Mädchen | die Freundin
Klara | sie | ihr | das Mädchen | die Freundin
Greta | sie | ihr | das Mädchen | die Freundin
Ida | sie | ihr | das Mädchen | die Freundin
Frieda | sie | ihr | das Mädchen | die Freundin
Hanna | sie | ihr | das Mädchen | die Freundin
Nele | sie | ihr | das Mädchen | die Freundin
Marie | sie | ihr | das Mädchen | die Freundin
Lotte | sie | ihr | das Mädchen | die Freundin
Emma | sie | ihr | das Mädchen | die Freundin
Lea | sie | ihr | das Mädchen | die Freundin
Emil | er | sein | der Junge/Jungen | der Freund
Jonas | er | sein | der Junge/Jungen | der Freund
Paul | er | sein | der Junge/Jungen | der Freund
Oskar | er | sein | der Junge/Jungen | der Freund
Anton | er | sein | der Junge/Jungen | der Freund
Theo | er | sein | der Junge/Jungen | der Freund
Karl | er | sein | der Junge/Jungen | der Freund
Felix | er | sein | der Junge/Jungen | der Freund
Moritz | er | sein | der Junge/Jungen | der Freund
Fritz | er | sein | der Junge/Jungen | der Freund
Hans | er | sein | der Junge/Jungen | der Freund
Peter | er | sein | der Junge/Jungen | der Freund

table person: name, er
Mama | sie
Papa | er
Oma | sie
Opa | er

table gemüt: word
klein
lieb
fröhlich
mutig
klug
neugierig

table anfang: text
Es war einmal {ein gemüt held.art} namens {held}.
Es war einmal {ein gemüt held.art} mit Namen {held}.
In einem kleinen [Dorf|Haus am Wald] lebte einmal {ein gemüt held.art} namens {held}.
{Held} war {ein gemüt held.art} und wohnte [in einem kleinen Dorf|in einem Haus am Wald|am Rand der
  Stadt].

table ende: text
Das war ein schöner Tag.
Da waren alle sehr froh.
{Held} war sehr glücklich.
In dieser Nacht schlief {held} sehr gut.
Diesen Tag vergaß {held} nie.

table farbe: word
rot
blau
grün
gelb
weiß
braun
bunt

table spielzeug: name
der Teddy
der Stoffhase/Stoffhasen
der Kreisel
die Puppe
die Stoffkatze
das Holzpferd
das Stoffschaf

table versteck: wo
unter dem Bett
hinter dem Sofa
unter der Decke
hinter der Tür
in einer Kiste
unter der Bank

table fehlt: ohne, ort, holen
keine Nase | in der Küche | holte eine lange Möhre
keinen Hut | im Keller | holte einen alten Topf
keinen Schal | im Schrank | holte einen roten Schal
keine Augen | am Weg | holte zwei schwarze Steine
keine Arme | unter dem Baum | holte zwei lange Äste

table trost: plan, tat
Komm, wir singen ein Lied | Sie sangen so laut, dass sie den Donner nicht mehr hörten
Komm, wir zählen bis zum Donner | Sie zählten zusammen, und bald kam der Donner immer später
Ich erzähle dir eine Geschichte | Die Geschichte war so lustig, dass {held} lachen musste
Komm, wir bauen eine Höhle | Sie bauten aus Decken eine Höhle, und dort war es warm und schön

table glanz: word
rot
gelb
blau
bunt
golden

table form: name
der Mond
der Stern
der Fisch
der Igel
die Sonne
die Blume
das Herz

table gabe: name
der Kuchen
der Tee
die Suppe
die Torte
das Brot

table tier: name
der Hase/Hasen
der Fuchs
der Vogel
die Eule
die Maus
das Reh
das Eichhörnchen

table wesen: word
alt
klug
freundlich
lustig

table weg: rat, tat
Geh immer am Bach entlang | ging immer am Bach entlang
Folge den weißen Steinen | folgte den weißen Steinen
Geh über die kleine Brücke | ging über die kleine Brücke
Geh bis zur alten Mühle | ging bis zur alten Mühle

table kuchen: name
der Apfelkuchen
der Kirschkuchen
der Nusskuchen
die Schokotorte
die Erdbeertorte
der Zitronenkuchen

table zutat: kein, etwas
keinen Zucker | etwas Zucker
keine Milch | etwas Milch
keine Butter | etwas Butter
kein Mehl | etwas Mehl
keine Eier | ein paar Eier

table spiel: name, rat
Fangen | Du läufst weg, und ich fange dich
Verstecken | Du versteckst dich, und ich suche dich
Ball | Ich werfe den Ball, und du fängst ihn
Karten | Ich gebe dir Karten, und du legst eine hin

table klemme: wohin, wo, hilfe
auf das Dach | oben auf dem Dach | Dann holte {helfer} eine Leiter und stieg hinauf
in einen hohen Baum | oben im Baum
  | Dann nahm {freund} einen langen Stock und schob {den fund} herunter
in den Teich | mitten im Teich | Dann nahm {freund} einen langen Ast und zog {den fund} ans Ufer
über den Zaun | hinter dem Zaun | Dann fand {freund} ein Loch im Zaun und kroch hindurch

table fund: name
der Ball
der Drachen
der Luftballon
das Flugzeug

table mangel: was, hilfe
Doch am Abend regnete es durch das Dach
  | Dann holte {er helfer} ein großes Tuch und legte es auf das Dach
Doch die Leiter war zu kurz
  | Dann holte {er helfer} noch ein Stück Holz und machte die Leiter länger
Doch es fehlte noch ein Brett | Dann fand {er helfer} im Keller ein altes Brett
Doch der Boden wackelte | Dann nahm {er helfer} den Hammer und machte den Boden fest

table geschenk: name, tat
das Bild | nahm {er held} die Farben und malte ein großes Bild
das Lied | dachte {er held} sich ein schönes Lied aus
die Kette | machte {er held} aus bunten Perlen eine Kette
der Kranz | suchte {er held} auf der Wiese Blumen und machte einen Kranz
das Vogelhaus | baute {er held} aus Holz ein kleines Vogelhaus

table pflanze: samen, name, ende
der Sonnenblumenkern | die Sonnenblume | Sie war so groß wie {helfer}
der Kürbiskern | der Kürbis | Daraus kochten sie eine gute Suppe
die Bohne | die Bohnenpflanze | Am Abend aßen alle grüne Bohnen
der Mohnsamen | die Mohnblume | Alle Bienen kamen zu Besuch

table haustier: name, er, art, laut
Mimi | sie | die Katze | Miau
Minka | sie | die Katze | Miau
Tiger | er | der Kater | Miau
Bello | er | der Hund | Wuff
Struppi | er | der Hund | Wuff
Flocke | sie | die Hündin | Wuff

table korb: name
der Korb
die Kiste
das Körbchen

table fundort: wo, hilfe
hinter der Tür der Scheune | {Held} machte die Tür auf, und {haustier} lief heraus
unter der Treppe | {Held} rief leise, und {haustier} kam heraus
in einem tiefen Loch | {Helfer} holte ein Brett, und {haustier} lief daran hoch
auf einem Stein im Bach | {Helfer} ging durch das Wasser und holte {ihn haustier}
unter dem alten Auto von Opa | {Held} nahm etwas Futter, und {haustier} kam heraus

table igel: name
Pieks
Stups
Knopf
Flitz

table topf: name
der Topf
die Schale
der Becher

table kiste: name, wo
die Kiste | in der Kiste
der Korb | in dem Korb
das Fass | in dem Fass

table not: rat, tat
Die Erde ist zu trocken | goss {held} jeden Morgen ein wenig Wasser auf die Erde
Hier ist es zu dunkel | stellte {held} {den topf} in die Sonne
Hier ist es zu kalt | stellte {held} {den topf} ins warme Haus
Du musst nur etwas warten | wartete {held} Tag für Tag

table fahrzeug: name
der Roller
der Schlitten
das Fahrrad
die Seifenkiste
)";
}

namespace {

using Forms =
    std::string_view[3][3];  // by case (nominative, accusative, dative) and gender (m, f, n)

constexpr Forms definite = {{"der", "die", "das"}, {"den", "die", "das"}, {"dem", "der", "dem"}};
constexpr Forms pronouns = {{"er", "sie", "es"}, {"ihn", "sie", "es"}, {"ihm", "ihr", "ihm"}};
constexpr Forms after_ein = {{"er", "e", "es"}, {"en", "e", "es"}, {"en", "en", "en"}};
constexpr Forms after_der = {{"e", "e", "e"}, {"en", "e", "e"}, {"en", "en", "en"}};
constexpr Forms ein_ending = {{"", "e", ""}, {"en", "e", ""}, {"em", "er", "em"}};

int gender_of(const Phrase& phrase) {
    for (int gender = 0; gender < 3; ++gender) {
        if (phrase.noun.substr(0, 4) == fmt::format("{} ", definite[0][gender])) {
            return gender;
        }
    }
    return phrase.row["er"] == "sie" ? 1 : 0;
}

}  // namespace

// The first word of a phrase stands in its masculine form, which tells the case: der, den, dem;
// ein, einen, einem; mein, dein, kein likewise; {held:seinen ball} is "ihren Ball" when the owner
// is a girl; er, ihn, ihm are the pronouns. Adjectives are written as stems: {einen rot- ball}.
std::string inflect_german(const Phrase& phrase) {
    const int gender = gender_of(phrase);
    const std::string_view noun = phrase.noun.substr(std::min<size_t>(4, phrase.noun.size()));
    const size_t slash = noun.find('/');
    const auto finish = [&](std::string out, const Forms& endings, int grammatical_case) {
        for (const std::string_view adjective : phrase.adjectives) {
            out += fmt::format(" {}{}", adjective, endings[grammatical_case][gender]);
        }
        const bool oblique = grammatical_case > 0 && slash != std::string_view::npos;
        return fmt::format("{} {}", out, oblique ? noun.substr(slash + 1) : noun.substr(0, slash));
    };
    for (int c = 0; c < 3; ++c) {
        if (phrase.first == pronouns[c][0]) {
            return std::string(pronouns[c][gender]);
        }
        if (phrase.first == definite[c][0]) {
            return finish(std::string(definite[c][gender]), after_der, c);
        }
        for (const std::string_view stem : {"ein", "kein", "mein", "dein", "sein"}) {
            if (phrase.first == fmt::format("{}{}", stem, ein_ending[c][0])) {
                const bool owned = phrase.owner != nullptr;
                check(owned == (stem == "sein"), "german: '{}' {}", phrase.first,
                      owned ? "has no owner" : "needs an owner, as in {held:sein ball}");
                const bool hers = owned && (*phrase.owner)["er"] == "sie";
                return finish(fmt::format("{}{}", hers ? "ihr" : stem, ein_ending[c][gender]),
                              after_ein, c);
            }
        }
    }
    fail("german: '{}' is no first word of a phrase", phrase.first);
}

const Book& german_book() {
    static const Book book("german", fmt::format("{}{}", german_tables(), german_plots()),
                           inflect_german);
    return book;
}

}  // namespace smoe
