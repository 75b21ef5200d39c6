// The words of the English book and the little grammar that they need. Rare words are left out,
// so that a model of a million parameters can know every word by heart. When a table grows, each
// row must make sense in each plot that uses the table.
// Read next: english_plots.cpp, the stories themselves.
#include <fmt/core.h>

#include "core/check.h"
#include "models/text/corpus/books.h"

namespace smoe {

std::string_view english_tables() {
    return R"(
table child: name, he, kind
Tom | he | boy
Ben | he | boy
Sam | he | boy
Leo | he | boy
Tim | he | boy
Jack | he | boy
Finn | he | boy
Billy | he | boy
Max | he | boy
Dan | he | boy
Noah | he | boy
Jake | he | boy
Mia | she | girl
Lily | she | girl
Lucy | she | girl
Sara | she | girl
Rose | she | girl
Ella | she | girl
Amy | she | girl
Molly | she | girl
Daisy | she | girl
Zoe | she | girl
Nora | she | girl
Kate | she | girl

table grownup: name, he
Mom | she
Dad | he
Grandma | she
Grandpa | he

table mood: word
little
kind
happy
clever
brave
young

table opening: text
Once upon a time, there was {a mood hero.kind} named {hero}.
Once upon a time, {a mood hero.kind} named {hero} lived [in a small house|near a forest|on a
  farm|in a little town].
There was once {a mood hero.kind} named {hero}.
{Hero} was {a mood hero.kind} who lived [in a small house|near a forest|on a farm|in a little town].

table ending: text
It was a [good|great|wonderful] day.
And they were all very happy.
{Hero} was very happy.
That night, {hero} fell asleep with a [big |happy |]smile.
And {hero} never forgot that day.

table colour: word
red
blue
green
yellow
white
orange
brown

table toy: name
teddy bear
toy dog
toy rabbit
toy elephant
doll
toy horse
toy owl

table hiding: where
under the bed
behind the sofa
under the table
behind the door
under a blanket
in a big box

table food: name
bread
cheese
apples
cookies
berries
cake

table shelter: plan, run, dry
Let us sit under that big tree | They took the basket and ran to the tree
  | Under the tree, it was nice and dry
Let us make a tent | They put their blanket over two branches
  | In their little tent, it was warm and dry
Let us run to my house | They took the basket and ran home
  | There they had their picnic on the kitchen floor
Look, there is an old hut | They took the basket and ran to the hut
  | In the hut, it was warm and dry

table noise: sound, cause, name
tap, tap | a branch at the window | branch
scratch, scratch | the cat at the door | cat
whoo, whoo | an owl in the tree | owl
knock, knock | the wind at the door | wind
drip, drop | the rain on the roof | rain
squeak, squeak | a mouse in the wall | mouse

table cake: kind
apple
chocolate
carrot
cherry
lemon
banana

table missing: name, was
milk | was no milk
sugar | was no sugar
butter | was no butter
flour | was no flour
eggs | were no eggs

table treat: name
cookies
berries
cherries
plums
nuts
grapes

table game: name, how
tag | You run, and I catch you
hide and seek | You hide, and I look for you
ball | I throw the ball, and you catch it
jump rope | I turn the rope, and you jump

table plant: seed, grown, end
sunflower seed | a tall sunflower | It was as tall as {helper}
pumpkin seed | a big pumpkin | They made a big pot of soup from it
bean | a tall bean plant | They ate green beans for dinner
poppy seed | a red poppy | All the bees came to see it
melon seed | a sweet melon | They ate it on a hot day in the summer

table need: advice, act
It is too dry | {hero} gave it some water every morning
It is too dark here | {hero} put the pot in a sunny place
It is too cold here | {hero} put the pot in a warm place
It just needs some time | {hero} waited and waited

table trouble: what, fix
But water came in through a small hole | {friend} closed the hole with a piece of wood
But the boat was too light and fell over | {friend} put a small stone in the boat
But the sail was broken, and the boat did not move | {friend} made a new sail from an old shirt

table swimmer: name
duck
frog
little fish
swan

table birdname: name
Pip
Sunny
Feather
Berry
Cloud
Peep

table kitten: name, he
Muffin | she
Snow | she
Pepper | he
Coco | she
Milo | he
Fluffy | she
Tiger | he

table perch: clue, rescue
up in a tall tree | {Helper} got a ladder and brought {kitten} down
in a big box | {Hero} opened the box and took {kitten} out
behind the door of the barn | {Hero} opened the door, and {kitten} ran out
up on the roof | {Helper} got a ladder and brought {kitten} down
under the stairs | {Hero} took a piece of fish, and {kitten} came out

table gift: name, the
a basket of apples | the apples
a pot of soup | the soup
some warm bread | the bread
a cake | the cake
a jar of honey | the honey
some flowers | the flowers

table guide: name
owl
rabbit
fox
squirrel
deer
bird

table nature: word
old
clever
friendly
funny

table way: advice, path
Follow the river | walked along the river
Follow the white stones | followed the white stones
Go up the hill | walked up the hill
Go over the little bridge | walked over the bridge

table present: name, made
a picture | {he hero} took a brush and painted a big picture of {friend}
a birdhouse | {he hero} took some wood and built a little birdhouse
a crown of flowers | {he hero} picked flowers and made a crown
a scarf | {he hero} took some wool and made a warm scarf
a song | {he hero} sat down and wrote a happy song

table skill: name, fall, again, done
ride a bike | {he hero} fell into the grass | {He hero} got back on the bike
  | {Hero} rode down the road
swim | {he hero} got water in {his hero} nose | {He hero} went back into the water
  | {Hero} swam across the pool
skate | {he hero} fell on the ice | {He hero} stood up on the ice | {Hero} skated across the lake
climb the big tree | {he hero} slipped and slid down | {He hero} went back to the tree
  | {Hero} sat at the top of the tree
)";
}

// First words of a phrase: "a" (or "an"), "he", "him", "his" (or she, her, her; from the column
// `he`) and "count": {count x thing} is "1 apple" or "2 apples", the plural from the column `many`.
std::string inflect_english(const Phrase& phrase) {
    std::string words;
    for (const std::string_view adjective : phrase.adjectives) {
        words.append(adjective).append(" ");
    }
    words.append(phrase.noun);
    if (phrase.first == "a") {
        return (std::string_view("aeiou").find(words[0]) == std::string_view::npos ? "a " : "an ") +
               words;
    }
    if (phrase.first == "count") {
        check(phrase.adjectives.size() == 1, "english: 'count' needs one number before its noun");
        const std::string_view number = phrase.adjectives[0];
        const bool one = number == "1" || number == "one";
        return fmt::format("{} {}", number, one ? phrase.noun : phrase.row["many"]);
    }
    const bool she = phrase.row["he"] == "she";
    if (phrase.first == "he") {
        return she ? "she" : "he";
    }
    if (phrase.first == "him") {
        return she ? "her" : "him";
    }
    check(phrase.first == "his", "english: '{}' is no first word of a phrase", phrase.first);
    return she ? "her" : "his";
}

const Book& english_book() {
    static const Book book("english", fmt::format("{}{}", english_tables(), english_plots()),
                           inflect_english);
    return book;
}

}  // namespace smoe
