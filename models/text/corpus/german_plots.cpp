// The plots of the German stories. They have the shape of the English ones (a wish, a problem,
// help, an end) but are not their translation. writer.h explains how a plot is written. Whatever
// varies is a slot, which german.cpp inflects by the gender in its table.
// Read next: sums.cpp.
#include "models/text/corpus/books.h"

namespace smoe {

std::string_view german_plots() {
    return R"(
plot das verlorene Spielzeug
cast held:kind, helfer:person
- {anfang}
- Am liebsten spielte {er held} mit {held:seinem farbe spielzeug}.
| {Er held} hatte {einen farbe spielzeug} und nahm {ihn spielzeug} überall mit.
| Zum Geburtstag bekam {er held} {einen farbe spielzeug}.
- [Eines Tages|Eines Morgens|Eines Abends] war {der spielzeug} weg.
| [Eines Tages|Eines Morgens|Eines Abends] konnte {held} {den spielzeug} nicht mehr finden.
? {Held} suchte im [Schrank|Garten|Keller] und [in der Küche|auf der Treppe], aber dort war nichts.
| {Held} suchte überall, doch {der spielzeug} war nicht da.
? Da wurde {held} traurig und weinte.
| Da setzte sich {held} auf den Boden und war sehr traurig.
--
- „Was ist los?“, fragte {helfer}. „{Mein spielzeug} ist weg“, sagte {held}.
| {Helfer} kam und fragte: „Warum bist du traurig?“ „{Mein spielzeug} ist weg“, sagte {held}.
- „Komm, wir suchen zusammen“, sagte {helfer}.
| „Keine Sorge, wir finden {ihn spielzeug} bestimmt“, sagte {helfer}.
- Sie suchten im ganzen Haus. Da fand {helfer} {den spielzeug} {versteck}.
| Sie suchten im ganzen Haus, und da lag {der spielzeug} {versteck}!
| Dann schaute {held} {versteck} nach, und da lag {der spielzeug}!
? {Held} drückte {den spielzeug} ganz fest. „Danke, {helfer}!“, rief {er held}.
| „Danke!“, rief {held} und umarmte {helfer}.
- Von da an passte {held} gut auf {den spielzeug} auf.
| In der Nacht schlief {der farbe spielzeug} neben {ihm held} im Bett.
| Danach verlor {held} {den farbe spielzeug} nie wieder.

plot der Schneemann
cast held:kind, freund:kind, helfer:person
- {anfang}
- An einem kalten Morgen lag überall Schnee.
| In der Nacht hatte es geschneit, und am Morgen war alles weiß.
- „Komm, wir bauen einen Schneemann!“, rief {held} und lief zu {held:seinem freund.freund} {freund}.
| {Held} und {held:sein freund.freund} {freund} wollten einen Schneemann bauen.
- Sie rollten drei dicke Kugeln und stellten sie aufeinander.
| Sie rollten eine große und eine kleine Kugel und lachten dabei.
- Doch der Schneemann hatte {fehlt}. „So ist er noch nicht fertig“, sagte {freund}.
| „Er hat noch {fehlt}“, sagte {freund}. Das stimmte.
--
- „Was machen wir jetzt?“, fragte {held}. „Schaut doch mal {fehlt.ort}“, sagte {helfer}.
| {Helfer} sah aus dem Fenster und rief: „Schaut doch mal {fehlt.ort}!“
- Das war eine gute Idee. {Held} lief los und {fehlt.holen}.
| Da lief {held} schnell los und {fehlt.holen}.
- Jetzt war der Schneemann fertig und sah sehr lustig aus.
| Nun war der Schneemann fertig. „Ist der schön!“, rief {freund}.
? Sie tanzten um den Schneemann herum, bis es dunkel wurde.
| {Held} und {freund} bauten noch einen kleinen Hund aus Schnee, damit der Schneemann nicht allein
  war.
? Am Abend tranken sie bei {helfer} warmen Tee.
| Am Abend winkte {held} dem Schneemann vom Fenster aus zu.
| {ende}

plot das Gewitter
cast held:kind, helfer:person
- {anfang}
- {Er held} hatte nur vor einer Sache Angst: vor dem Gewitter.
| {Held} hatte fast nie Angst. Nur das Gewitter mochte {er held} nicht.
- Eines Nachts kam ein starker Wind, und dann blitzte und donnerte es.
| Eines Abends wurde der Himmel schwarz. Es blitzte, und der Donner war sehr laut.
- {Held} lag mit {held:seinem farbe spielzeug} im Bett und konnte nicht schlafen.
| {Held} nahm {held:seinen farbe spielzeug} in den Arm und zog die Decke über den Kopf.
? „{Helfer}, ich habe Angst!“, rief {er held}.
| „Ich habe Angst“, sagte {er held} leise zu {held:seinem farbe spielzeug}.
--
- Da kam {helfer} ins Zimmer. „{trost}“, sagte {helfer}.
| {Helfer} kam und setzte sich ans Bett. „{trost}“, sagte {helfer}.
- {trost.tat}.
? Bald zog das Gewitter weiter, und nur der Regen war noch da.
| Nach einer Weile wurde es draußen still, und der Mond kam heraus.
- „Es war gar nicht so schlimm“, sagte {held} und schlief ein.
| {Held} war müde und froh. „Gute Nacht, {helfer}“, sagte {er held} und schlief ein.
- Am nächsten Morgen schien die Sonne, und {held} sprang durch die Pfützen.
| Beim nächsten Gewitter hatte {held} keine Angst mehr.
| Von da an war {held} bei jedem Gewitter ganz mutig.

plot die Laterne
cast held:kind, freund:kind, helfer:person
- {anfang}
- Im Herbst gab es in der Stadt ein großes Fest mit Laternen.
| Bald war das Fest der Laternen, und {held} freute sich sehr.
- {Held} hatte mit {helfer} eine Laterne gebaut. Sie sah aus wie {ein glanz form}.
| Die Laterne von {held} sah aus wie {ein glanz form}. {Helfer} hatte dabei geholfen.
- Am Abend gingen alle Kinder mit ihren Laternen durch die Straßen und sangen.
| Als es dunkel wurde, gingen die Kinder los und sangen ein Lied.
- Plötzlich kam ein starker Wind, und die Kerze von {held} ging aus.
| Doch dann blies der Wind, und die Laterne von {held} wurde dunkel.
? „Oh nein!“, rief {held} und blieb traurig stehen.
| {Held} blieb stehen und hatte Tränen in den Augen.
--
- Das sah {held:sein freund.freund} {freund}. „Nimm mein Licht“, sagte {freund}.
| „Warte, ich helfe dir“, sagte {held:sein freund.freund} {freund}.
- Zusammen machten sie die Kerze wieder an.
| Dann machte {freund} die Kerze mit {freund.sein}em Licht wieder an.
- Nun leuchtete {der form} noch schöner als zuvor.
| Da leuchtete {der glanz form} wieder hell in der Nacht.
? „Danke, {freund}!“, sagte {held}, und sie gingen Hand in Hand weiter.
| „Du bist {ein echt- freund.freund}, {freund}“, sagte {held} froh.
- {ende}
| Zu Hause stellte {held} die Laterne ans Fenster, und alle konnten sie sehen.

plot der Weg zu Oma
cast held:kind
- {anfang}
- Eines Tages war Oma krank, und {held} wollte ihr {einen gabe} bringen.
| Eines Morgens sagte Mama: „Oma ist krank. Bring ihr bitte {einen gabe}.“
? Der Weg ging durch einen großen Wald.
| {Held} ging mit einem Korb in den Wald.
- Im Wald sah {held} einen schönen Schmetterling und lief ihm nach.
| Unterwegs sammelte {held} Beeren und passte nicht auf.
- Auf einmal war der Weg nicht mehr da. „Wo bin ich?“, rief {held}.
| Bald wusste {held} nicht mehr, wo der Weg war.
--
- Da kam {ein wesen tier} aus dem Gras. „Wohin willst du?“, fragte {der tier}.
| „Warum bist du so traurig?“, fragte da {ein wesen tier}.
- „Ich finde den Weg zu Oma nicht“, sagte {held}. „{weg}“, sagte {der tier}.
| „Ich will zu Oma“, sagte {held}. {Der tier} sagte: „{weg}.“
- {Held} dankte {dem tier} und {weg.tat}. Da stand das Haus!
| {Held} sagte {dem tier} danke und {weg.tat}. Bald sah {er held} das Haus.
- Oma freute sich sehr. „{Ein gabe} von dir, wie schön!“, sagte sie.
| „{Held}, wie schön, dass du da bist!“, sagte Oma.
? {Held} erzählte ihr von {dem tier}, und sie lachten zusammen.
| Dann aßen sie zusammen, und {held} erzählte von {dem wesen tier}.
? Auf dem Weg nach Hause winkte {held} {dem tier} zu.
| Bald war Oma wieder gesund.
| {ende}

plot der Kuchen
cast held:kind, freund:kind, helfer:person
- {anfang}
- {Helfer} hatte Geburtstag, und {held} wollte {einen kuchen} backen.
| Eines Tages wollte {held} für {helfer} {einen kuchen} backen.
- {Er held} ging in die Küche, aber dort gab es {zutat}.
| {Held} holte eine große Schüssel. Doch es gab {zutat} mehr.
? „So kann ich {den kuchen} nicht backen“, sagte {held} traurig.
| „Was mache ich jetzt nur?“, fragte {held}.
--
- Dann lief {er held} zu {held:seinem freund.freund} {freund}. „Hast du {zutat.etwas} für mich?“
| Da klopfte {held} nebenan bei {freund} an die Tür. „Kannst du mir {zutat.etwas} geben?“, fragte
  {er held}.
- „Ja, gern! Darf ich dir helfen?“, fragte {freund}.
| „Natürlich“, sagte {freund}. „Wollen wir zusammen backen?“
- Zusammen rührten sie den Teig und stellten ihn in den Ofen. Bald roch es im Haus sehr gut.
| Sie backten zusammen, und am Ende war die ganze Küche weiß von Mehl.
- Am Abend stand {der kuchen} auf dem Tisch. „Was für eine Überraschung!“, rief {helfer}.
| Als {helfer} nach Hause kam, stand {der kuchen} schon auf dem Tisch.
? „Das habt ihr für mich gemacht?“, fragte {helfer} und umarmte beide.
| „So {einen gut- kuchen} habe ich noch nie gegessen“, sagte {er helfer}.
? Alle aßen ein großes Stück, und {held} gab {freund} das letzte.
| Dann aßen alle zusammen, bis nichts mehr da war.
| {ende}

plot das neue Kind
cast held:kind, freund:kind
- {anfang}
- Eines Tages kam {ein neu- freund.art} in die Schule. „Das ist {freund}“, sagte die Lehrerin.
| In der Schule von {held} gab es {einen neu- freund.art} mit Namen {freund}.
- {Freund} kannte noch niemanden und stand ganz allein unter einem Baum.
| In der Pause saß {freund} allein auf einer Bank und sah auf den Boden.
? {Held} sah das und dachte: „{Freund} hat hier noch keine Freunde.“
| Das tat {held} leid.
--
- {Held} ging zu {ihm freund} und fragte: „Willst du mit mir {spiel} spielen?“
| „Hallo, {freund}! Spielst du mit mir {spiel}?“, fragte {held}.
- „Ich weiß nicht, wie das geht“, sagte {freund} leise.
| „Gern, aber ich kann das nicht“, sagte {freund}.
- „Das ist ganz leicht“, sagte {held}. „{spiel.rat}!“
| „Ich zeige es dir“, sagte {held}. „{spiel.rat}.“
- Sie spielten {spiel} und lachten viel. Bald spielten auch die anderen Kinder mit.
| Das machte so viel Spaß, dass {freund} nicht mehr traurig war.
? „Spielen wir morgen wieder zusammen?“, fragte {freund}. „Ja!“, rief {held}.
| „Du bist {mein erst- held.freund} hier“, sagte {freund}. Da war {held} sehr stolz.
- Von da an spielten {held} und {freund} jeden Tag zusammen.
| So wurden {held} und {freund} gute Freunde.

plot der Wind
cast held:kind, freund:kind, helfer:person
- {anfang}
- Eines Tages spielten {held} und {freund} mit {einem farbe fund}.
| {Held} hatte {einen farbe fund} und ging damit zu {held:seinem freund.freund} {freund}.
- Es war ein schöner Tag, und {der fund} flog hoch in die Luft.
| Sie liefen auf die Wiese. „Schau, wie hoch {er fund} fliegt!“, rief {held}.
- Doch plötzlich kam ein starker Wind und trug {den fund} {klemme}.
| Da kam der Wind und blies {den fund} {klemme}.
? Nun war {der fund} {klemme.wo}, und sie kamen nicht heran.
| „Oh nein, {mein schön- fund}!“, rief {held} und war den Tränen nah.
--
- {Helfer} hörte die Kinder und kam heraus. „Das haben wir gleich“, sagte {helfer}.
| „Keine Angst, wir holen {ihn fund} zurück“, sagte {freund}. {Helfer} kam auch dazu.
- {klemme.hilfe}. Es dauerte nicht lange, da hatten sie {den fund} wieder.
| Sie dachten alle nach. {klemme.hilfe}. So kam {der fund} zurück.
? „Danke!“, rief {held} und hielt {den farbe fund} ganz fest.
| {Held} lachte wieder. „Das habt ihr gut gemacht!“, sagte {er held}.
- Dann spielten sie weiter, bis es Abend wurde.
| Sie spielten noch lange, aber der Wind kam nicht wieder.
| {ende}

plot das Baumhaus
cast held:kind, freund:kind, helfer:person
- {anfang}
- {Er held} wollte so gern ein Haus in einem Baum haben.
| „Ich möchte ein Haus im Baum bauen“, sagte {er held} eines Tages.
- Also holte {held} Holz und Nägel, und {held:sein freund.freund} {freund} half {ihm held}.
| {Held:sein freund.freund} {freund} hatte auch Lust, und sie fingen gleich an.
- Sie arbeiteten [drei Tage|eine Woche] lang. Dann war das Haus im [alten |großen |]Baum fast
  fertig.
| Jeden Tag bauten sie ein Stück, und das Haus im Baum wurde immer schöner.
- {mangel}. „Was machen wir jetzt?“, fragte {freund}.
| {mangel}. „So ein Pech!“, rief {held}.
--
- „Ich habe eine Idee“, sagte {helfer}. {mangel.hilfe}. Nun war das Haus fertig.
| Da kam {helfer} in den Garten und sah sich alles an. {mangel.hilfe}. Nun war alles fertig.
? {Helfer} malte noch {einen glanz form} an die Tür.
| An die Tür malten sie noch {einen glanz form}.
? „Das ist das schönste Haus der Welt“, sagte {held}.
| „Hier oben kann man alles sehen!“, rief {freund}.
- Am Abend saßen alle oben und aßen Brot mit Käse.
| {Held} und {freund} spielten dort den ganzen Sommer.
| {ende}

plot das Geschenk
cast held:kind, freund:kind, helfer:person
- {anfang}
- {Held:sein best- freund.freund} {freund} hatte bald Geburtstag.
| Am nächsten Tag hatte {held:sein freund.freund} {freund} Geburtstag, und {held} wollte {ihm
  freund} etwas schenken.
- Doch {held} hatte kein Geld und konnte nichts kaufen.
| Aber {held} hatte kein Geld für ein Geschenk und war traurig.
- „Dann mach doch etwas“, sagte {helfer}. „Das ist viel schöner.“
| {Helfer} sagte: „Das schönste Geschenk kommt von Herzen.“
--
- {Held} dachte lange nach. Dann {geschenk.tat}.
| Das war eine gute Idee. Noch am Abend {geschenk.tat}.
? Das war viel Arbeit, aber am Ende war {der geschenk} fertig.
| Es war nicht leicht, doch {held} gab nicht auf.
- „Alles Gute, {freund}! Das habe ich für dich gemacht“, sagte {held} beim Fest.
| Beim Fest bekam {freund} viele Dinge. Dann gab {held} {ihm freund} {den geschenk}.
- „So {einen schön- geschenk} habe ich noch nie bekommen!“, rief {freund}.
| {Freund} freute sich sehr. „Das hast du nur für mich gemacht?“, fragte {er freund}.
? Dann aßen alle Kuchen, und {held} bekam das erste Stück.
| Sie sangen und tanzten, und {held} war genauso froh wie {freund}.
? {Freund} vergaß {den geschenk} von {held} nie.
| „{Helfer} hatte recht“, dachte {held}.

plot der Samen
cast held:kind, helfer:person
- {anfang}
- Im Frühling bekam {er held} von {helfer} {einen pflanze}.
| Eines Tages fand {held} {einen pflanze} und zeigte {ihn pflanze} {helfer}.
- {Held} legte {den pflanze} in {einen farbe topf} und sah jeden Morgen nach.
| „Ich will sehen, wie {er pflanze} wächst“, sagte {held} und legte {ihn pflanze} in {einen farbe
  topf}.
- Doch nichts geschah. „Warum wächst du nicht?“, fragte {held}.
| Viele Tage gingen vorbei, aber es war nichts zu sehen. Da war {held} traurig.
--
- „{not}“, sagte {helfer}. Darum {not.tat}.
| {Helfer} sah sich {den topf} an und sagte: „{not}.“ Also {not.tat}.
- Eines Morgens war da ein kleines grünes Blatt! „{Helfer}, schau!“, rief {held}.
| Dann sah {held} etwas Kleines und Grünes. „Es wächst!“, rief {er held}.
? Sie pflanzten es in den Garten, und dort wuchs es immer weiter.
| Zusammen brachten sie die kleine Pflanze in den Garten. Dort hatte sie viel Platz.
- Im Sommer wurde daraus {ein groß- pflanze.name}. {pflanze.ende}.
| Am Ende des Sommers stand im Garten {ein schön- pflanze.name}. {pflanze.ende}.
? {Held} war sehr stolz. „Und am Anfang war das nur {ein klein- pflanze}“, sagte {er held}.
| „Wie gut, dass wir nicht aufgegeben haben“, sagte {held}.

plot zusammen ist es schöner
cast held:kind, freund:kind, helfer:person
- {anfang}
- Eines Tages bekam {er held} von {helfer} {einen neu- fahrzeug}.
| Zum Geburtstag bekam {held} {einen farbe fahrzeug}.
? Den ganzen Tag fuhr {held} damit den [Berg|Weg] hinunter und lachte.
| {Held} fuhr damit durch den [Park|Hof] und war sehr stolz.
- Da kam {held:sein freund.freund} {freund} und fragte: „Darf ich auch einmal fahren?“
| {Held:sein freund.freund} {freund} sah das. „Darf ich auch mal?“, fragte {er freund}.
- „Nein, das ist {mein fahrzeug}!“, rief {held}. Da ging {freund} traurig weg.
| Aber {held} wollte nicht teilen. „Nein!“, rief {er held}, und {freund} ging nach Hause.
- Nun fuhr {held} ganz allein, aber das machte keinen Spaß mehr.
| Bald war {held} allein, und es war sehr still.
--
? „Warum lachst du nicht mehr?“, fragte {helfer}. „Ich war nicht lieb zu {freund}“, sagte {held}.
| {Helfer} sagte: „Zu zweit macht alles mehr Spaß.“ Darüber dachte {held} nach.
- Dann lief {held} zu {freund} und sagte: „Es tut mir leid. Jetzt darfst du fahren.“
| {Held} brachte {den fahrzeug} zu {freund}. „Es tut mir leid. Du zuerst!“, sagte {er held}.
? „Danke!“, sagte {freund} und lachte wieder.
| {Freund} war nicht mehr böse und nahm {held} in den Arm.
- Sie fuhren zusammen, bis die Sonne unterging.
| Einmal fuhr {held}, und einmal fuhr {freund}. So war es viel schöner.
- Von da an teilte {held} gern.
| {ende}

plot ein Tier ist weg
cast held:kind, helfer:person
- {anfang}
- {Er held} hatte {einen wesen haustier.art} mit Namen {haustier} und hatte {ihn haustier} sehr
  lieb.
| {Held:sein haustier.art} hieß {haustier}. Die beiden waren immer zusammen.
? Jeden Abend bekam {haustier} Futter und schlief dann in {einem farbe korb}.
| Am liebsten lag {haustier} in {einem farbe korb} und schlief.
- Doch eines Abends kam {haustier} nicht nach Hause.
| Aber eines Tages war {haustier} weg.
? „{Haustier}, wo bist du?“, rief {held} immer wieder.
| {Held} hatte Angst. „Ob {haustier} den Weg nicht mehr findet?“, fragte {er held}.
--
- {Helfer} nahm eine Lampe. „Komm, wir suchen {ihn haustier}“, sagte {helfer}.
| „Wir finden {ihn haustier} bestimmt“, sagte {helfer} und zog die Jacke an.
- Sie gingen durch den Garten und riefen. Da hörten sie etwas: „{haustier.laut}!“
| Sie suchten lange. Dann blieb {held} stehen. „{haustier.laut}! {haustier.laut}!“, klang es leise.
- {Haustier} saß {fundort} und hatte Angst. {fundort.hilfe}.
| Da war {haustier}! {Er haustier} saß {fundort}. {fundort.hilfe}.
? „Da bist du ja!“, rief {held} und nahm {haustier} in den Arm.
| {Held} streichelte {haustier} und sagte: „Jetzt ist alles wieder gut.“
- Zu Hause bekam {haustier} viel Futter und schlief schnell ein.
| In dieser Nacht durfte {haustier} bei {held} im Bett schlafen.
- Von da an machte {held} immer die Tür gut zu.
| Da war {held} sehr glücklich.

plot der Igel
cast held:kind, helfer:person
- {anfang}
- Im Herbst fand {held} [im Garten|unter einem Busch|am Zaun] einen kleinen Igel und nannte ihn
  {igel}.
| An einem kalten Tag im Herbst saß ein kleiner Igel vor der Tür. {Held} nannte ihn {igel}.
- Er war ganz dünn und suchte nach Futter.
| Er war müde und zitterte vor Kälte.
? „{Igel}, ich helfe dir“, sagte {held}.
| „Bald kommt der Winter. Wo soll er nur schlafen?“, fragte {held}.
- Schnell lief {held} ins Haus und holte {helfer}.
| „{Helfer}, komm schnell!“, rief {er held}.
--
- „Der Igel braucht ein Haus für den Winter“, sagte {helfer}.
| {Helfer} sah den Igel an und sagte: „Wir bauen ihm ein kleines Haus.“
- Also nahmen sie {einen alt- kiste} und legten trockene Blätter hinein.
| {Held} holte {einen alt- kiste}, und {helfer} sammelte trockene Blätter.
? Jeden Abend stellte {held} Wasser und Futter in den Garten.
| {Igel} fraß und fraß und wurde bald dick und rund.
- Als der erste Schnee fiel, schlief {igel} tief und fest {kiste.wo}.
| Dann kam der Winter, und {igel} schlief lange {kiste.wo}. „Gute Nacht, {igel}“, sagte {held}
  leise.
- Im Frühling schien die Sonne wieder warm, und {igel} kam heraus.
| Eines Morgens im Frühling hörte {held} etwas im Gras. Da war {igel}!
? „Da bist du ja wieder!“, rief {held} und lachte vor Freude.
| Er hatte sogar ein kleines Igelkind dabei. „Guten Morgen!“, rief {held}.
- Von da an kam {igel} jeden Abend zu Besuch.
| {Held} und {igel} blieben Freunde.
)";
}

}  // namespace smoe
