// The plots of the English stories: somebody wants something, there is a problem, somebody helps,
// and what was there at the start returns at the end. writer.h explains how a plot is written. A
// plot must make sense with every filling: what belongs together, such as a problem and its
// solution, stands in one row of a table.
// Read next: german_plots.cpp.
#include "models/text/corpus/books.h"

namespace smoe {

std::string_view english_plots() {
    return R"(
plot the lost toy
cast hero:child, helper:grownup
- {opening}
- {His hero} best toy was {a colour toy}.
| {He hero} had {a colour toy} and took it everywhere.
| {He hero} loved {his hero} {colour} {toy} very much.
- [One day|One morning|One evening], the {toy} was gone.
| [One day|One morning|One evening], {hero} could not find the {toy}.
? {He hero} looked in the [kitchen|garden] and in the [bath|bag|car], but the {toy} was not there.
| {He hero} looked here and there, but the {toy} was not there.
? {Hero} was very sad and sat down on the floor.
| {Hero} was so sad that {he hero} began to cry.
--
- "What is wrong?" asked {helper}. "I lost my {toy}," said {hero}.
| {Helper} came and asked, "Why are you sad?" "My {toy} is gone," said {hero}.
- "Do not worry. We will find it," said {helper}.
| "Let us look for it together," said {helper}.
- They looked everywhere. Then {hero} looked {hiding}, and there was the {toy}!
| They looked everywhere. At last, {helper} found the {toy} {hiding}.
| They looked everywhere, and there it was! The {toy} was {hiding}.
? {Hero} held the {toy} tight. "Thank you, {helper}!" said {hero}.
| "Thank you!" said {hero} and gave {helper} a big hug.
- From that day on, {hero} always kept the {toy} near {his hero} bed.
| That night, {hero} slept with the {toy} in {his hero} arms.
| {He hero} never lost the {toy} again.

plot the kite in the tree
cast hero:child, friend:child, helper:grownup
- {opening}
- {He hero} had {a colour} kite and wanted to see it fly.
| For {his hero} birthday, {he hero} got {a colour} kite.
| With some help from {helper}, {he hero} made {a colour} kite.
- [One windy day|One windy morning], {hero} took the kite to the [park|hill|field].
| One day, the wind was strong, and {hero} ran to the [park|hill|field] with the kite.
? The kite flew up and up into the sky, and {hero} laughed.
| Soon the kite was high in the sky. "Look, it can fly!" said {hero}.
- But then the wind turned, and the kite got stuck in a tall tree.
| But suddenly the kite flew into a tall tree and got stuck.
? {Hero} jumped and jumped, but {he hero} could not reach it.
| {Hero} wanted to climb the tree, but it was too tall.
--
- Then {his hero} friend {friend} came by. "What is wrong?" asked {friend}. "My kite is stuck,"
  said {hero}.
| "Oh no, my kite!" cried {hero}. {His hero} friend {friend} heard it and came to help.
- {Friend} found a long stick and pushed the kite. Slowly, it came down.
| {Friend} ran to get {helper}, who came with a ladder and got the kite down.
| They pushed a bench under the tree. {Friend} climbed up and got the kite down.
? "Thank you, {friend}!" said {hero}. "Do you want to fly it with me?"
| "Thank you!" said {hero}. "Now you can fly it, too."
- They flew the {colour} kite together until the sun went down.
| They played with the {colour} kite all day, far away from the trees.
| They flew the kite again, and this time it did not get stuck.

plot rain at the picnic
cast hero:child, friend:child, food1:food, food2:food
- {opening}
- [One sunny day|One day], {hero} and {friend} wanted to have a picnic [in the park|by the lake|on
  a hill].
| [One sunny day|One day], {hero} said to {friend}, "Let us have a picnic!" They went [to the
  park|to the lake|up a hill].
- They had a basket with {food1} and {food2}.
| {Friend} brought a basket with {food1} and {food2}.
? They put {a colour} blanket on the grass and began to eat.
| They sat down on {a colour} blanket and were happy.
- Suddenly, dark clouds came, and it began to rain.
| But then the sky turned dark. Drip, drop! It began to rain.
? "Oh no! Our {food1} will get wet!" cried {friend}.
| "Oh no! We cannot eat in the rain," said {friend}.
--
- {Hero} had an idea. "{shelter}!" said {hero}.
| {Hero} looked around. "I know! {shelter}," said {hero}.
- {shelter.run}. {shelter.dry}.
- They ate the {food1} and the {food2} and told funny stories.
| They ate the {food1} and the {food2} and sang a song about the rain.
? Soon the rain stopped. "This was the best picnic ever," said {friend}.
| When the rain stopped, there was a big rainbow in the sky. "How pretty!" said {friend}.
| "I like the rain now," said {friend}, and they both laughed.

plot the noise in the dark
cast hero:child, helper:grownup
- {opening}
- {Hero} was scared of only one thing: the dark.
| There was only one thing that {he hero} did not like: the dark.
- One night, {hero} was in bed with {a colour toy} when {he hero} heard a noise. It went "{noise}".
| One night, {hero} held {a colour toy} and could not sleep. There was a noise: "{Noise}!"
- {Hero} hid under the blanket. "{Helper}, there is a monster!" {he hero} cried.
| {Hero} was so scared that {he hero} called, "{Helper}, come quick!"
--
- {Helper} came with a small light. "Let us look together," said {helper}.
| {Helper} came in and took {him hero} by the hand. "Let us see what it is," said {helper}.
- They looked around, and what did they see? It was only {noise.cause}!
| Slowly they went to look. It was only {noise.cause}!
? {Hero} had to laugh. "You are not a monster at all," said {hero}.
| "So that was the noise!" said {hero} and laughed.
? Then {helper} sat next to the bed, and soon {hero} fell asleep.
| {Helper} sang a song, and {hero} soon fell asleep.
| {Hero} went back to bed and closed {his hero} eyes. "Good night, {noise.name}," {he hero} said.
- After that night, {hero} was not scared of the dark [any more|again].
| When {hero} heard the noise again, {he hero} just smiled.

plot the birthday cake
cast hero:child, friend:child, helper:grownup
- {opening}
- It was {helper}'s birthday, and {hero} wanted to bake {a cake} cake.
| One day, {hero} wanted to make {a cake} cake for {helper}.
| "I will bake {a cake} cake for {helper}," said {hero} one morning.
- {He hero} looked in the kitchen, but there {missing.was}.
| {He hero} took a big bowl. But oh no, there {missing.was}!
? {Hero} was sad. "I cannot bake a cake without {missing}," {he hero} said.
| "What can I do now?" asked {hero}.
--
- {He hero} went to the house next door, where {friend} lived. "Do you have some {missing}?" asked
  {hero}.
| Then {he hero} ran to {his hero} friend {friend}. "Can you give me some {missing}?" asked {hero}.
- "Yes, of course! But can I help you?" asked {friend}.
| "Yes, here you are," said {friend}. "Can we bake together?"
- They baked the cake together. Soon the house smelled very good.
| Together they baked the cake, and it smelled so good!
- When {helper} came home, the {cake} cake was on the table.
| In the evening, they gave the {cake} cake to {helper}.
? "What a surprise!" said {helper}. "This is the best cake ever!"
| "Did you make this for me?" asked {helper} and hugged them both.
- They all ate a big piece, and {hero} gave the last one to {friend}.
| Then they all sat down and ate the cake until it was gone.
| {ending}

plot half for you
cast hero:child, friend:child, helper:grownup
- {opening}
- One day, {helper} gave {him hero} a big bag of {treat}.
| One day, {hero} got a big bowl of {treat} from {helper}.
- {His hero} friend {friend} came and asked, "Can I have some {treat}, please?"
| {His hero} friend {friend} saw it. "May I have some, too?" asked {friend}.
- "No, they are all mine!" said {hero}.
| But {hero} did not want to share. "No!" said {hero}.
- {Friend} was sad and went away. {Hero} ate some {treat} alone, but it was no fun.
| {Friend} went home with tears in {his friend} eyes. {Hero} sat alone and felt bad.
--
? "Why are you so quiet?" asked {helper}. "I was not kind to {friend}," said {hero}.
| {Helper} said, "Things taste better when you share." {Hero} thought about it.
- Then {he hero} took the {treat} and ran to {friend}.
| Then {hero} stood up and took the {treat} to {friend}'s house.
- "I am sorry," said {hero}. "Half of them are for you."
| "I am sorry that I did not share," said {hero}. "Please take some."
? {Friend} smiled. "Thank you, {hero}! You are a good friend."
| "That is all right," said {friend} and gave {him hero} a hug.
- They sat in the sun and ate the {treat} together. Now they tasted much better.
| They ate the {treat} together, and it was much more fun.
? From that day on, {hero} liked to share.
| {ending}

plot the new child at school
cast hero:child, friend:child
- {opening}
- One day, there was a new {friend.kind} at {his hero} school. {His friend} name was {friend}.
| One morning, a new {friend.kind} came to the school. "This is {friend}," said the teacher.
- {Friend} did not know anyone and stood alone under a tree.
| At lunch, {friend} sat alone and looked at the floor.
? {Hero} saw that {friend} was sad and wanted to help.
| "{Friend} has no friends here," thought {hero}.
--
- {Hero} went over and said, "Hello! Do you want to play {game} with me?"
| {Hero} smiled and asked, "Would you like to play {game}?"
- "I do not know how," said {friend} in a small voice.
| "I do not know how to play that," said {friend}.
- "It is easy," said {hero}. "{game.how}!"
| "I will show you," said {hero}. "{game.how}."
- They played {game} and laughed a lot. {Friend} was not sad any more.
| Soon they both laughed, and the other children came to play, too.
? "Can we play again tomorrow?" asked {friend}. "Yes!" said {hero}.
| "You are my first friend here," said {friend}. {Hero} was very proud.
- From that day on, {hero} and {friend} played together every day.
| After that, {hero} and {friend} were best friends.

plot the seed that did not grow
cast hero:child, helper:grownup
- {opening}
- One day in the spring, {helper} gave {him hero} {a plant}.
| One day, {hero} found {a plant} and showed it to {helper}.
- {Hero} put it into {a colour} pot and looked every morning.
| "I want to see it grow," said {hero} and put it into {a colour} pot.
- But nothing came up. "Why do you not grow?" asked {hero}.
| Days went by, but there was nothing to see. {Hero} was sad.
--
- "{need}," said {helper}. So {need.act}.
| {Helper} looked at the pot and said, "{need}." So {need.act}.
- Then one day, there was a little green leaf! "It grows! It grows!" {hero} called.
| One morning, {hero} saw something small and green. "Look, {helper}!" {he hero} called.
? They put the little plant in the garden, and it grew and grew.
| Together they took it out to the garden.
- In the summer, there was {plant.grown}. {plant.end}.
| By the end of the summer, they had {plant.grown}. {plant.end}.
? {Hero} was so proud. "And it came from such a little {plant}!" said {hero}.
| "I am so glad that we did not give up," said {hero}.

plot the little boat
cast hero:child, friend:child
- {opening}
- One day, {he hero} made a little boat from wood. It had {a colour} sail.
| {He hero} had a little wooden boat with {a colour} sail.
- {Hero} wanted to sail it on the [pond|lake] with {friend}.
| {Hero} and {friend} took the boat to the [pond|lake].
- {Hero} put the boat on the water. {trouble}.
| "Here we go!" said {hero} and put the boat on the water. {trouble}.
? "Oh no, my boat!" cried {hero} and got it out of the water.
| {Hero} took the boat out of the water and was close to tears.
--
? "Do not be sad," said {friend}. "I know what to do."
| "Let me see it," said {friend}. "We can fix it."
- {trouble.fix}. Soon the boat was good again.
| So they sat down in the grass. {trouble.fix}.
- They put the boat back on the water, and it sailed very well!
| {Hero} tried again, and this time the boat sailed and sailed.
? A {swimmer} swam next to it and looked at the {colour} sail.
| Even a {swimmer} came to see the boat with the {colour} sail.
? "We did it!" said {hero}. "It is our boat now," {he hero} told {friend}.
| "Thank you, {friend}," said {hero}. "You are a good boat maker."
- {ending}
| They sailed the little boat until it was time to go home.

plot the missing kitten
cast hero:child, helper:grownup
- {opening}
- {He hero} had a little [white|black|grey|brown] kitten. The name of the kitten was {kitten}.
| {He hero} had a kitten named {kitten} and loved {him kitten} very much.
? Every [day|morning|evening], {kitten} drank milk from {a colour} bowl.
| {Kitten} liked to play with {a colour} ball of wool.
- One evening, {kitten} did not come when {hero} called.
| But one day, {kitten} was not there, and {hero} could not find {him kitten}.
? "{Kitten}, where are you?" {hero} called again and again.
| {Hero} was scared. "What if {kitten} is lost?" {he hero} asked.
--
- {Helper} put on a coat and said, "Come, let us look for {him kitten}."
| "Let us go and look for {him kitten} together," said {helper}.
- They walked around and called. Then they heard a small "Meow!"
| They looked and looked. Then {hero} heard something. "Meow! Meow!"
- There was {kitten}, {perch}! {perch.rescue}.
| {Kitten} was {perch} and looked very scared. {perch.rescue}.
- {Hero} held {kitten} in {his hero} arms. "Now you are safe," said {hero}.
| "There you are!" said {hero} and gave {kitten} a kiss.
? At home, {kitten} drank some milk and fell asleep on {hero}'s lap.
| They went home, and {kitten} got a big bowl of milk.
- From then on, {hero} always closed the door with care.
| {ending}

plot the way to grandma
cast hero:child
- {opening}
- One day, Grandma was sick, and {hero} wanted to bring her {gift}.
| One morning, Mom said, "Grandma is sick. Please take her {gift}."
? The way to Grandma's house went through a dark forest.
| {Hero} had to walk through the big forest.
- On the way, {hero} followed a pretty butterfly, and soon {he hero} was lost.
| On the way, {hero} stopped to pick berries. Then {he hero} could not find the path any more.
? "Oh no, where is the path?" cried {hero}.
| {Hero} sat down on a stone and felt all alone.
--
- Then {a nature} {guide} came out of the trees. "Why are you sad?" asked the {guide}.
| "Are you lost?" asked a small voice. It was {a nature guide}.
- "I cannot find the way to Grandma," said {hero}. "{way}," said the {guide}.
| "I want to bring Grandma {gift}," said {hero}. The {guide} said, "{way}."
- {Hero} {way.path}. Soon there was the house!
| So {hero} {way.path}. The {guide} was right, and soon {hero} saw the house.
- Grandma was so happy. "How kind of you to bring me {gift}!" she said.
| {Hero} gave Grandma {gift.the}. "Now I feel much better!" said Grandma.
? {Hero} told her about the {guide} in the forest, and she smiled.
| They drank tea, and {hero} told her about the {nature} {guide}.
| On the way home, {hero} looked for the {guide} to say thank you again.

plot the birthday present
cast hero:child, friend:child, helper:grownup
- {opening}
- The next day was the birthday of {his hero} best friend {friend}.
| {His hero} friend {friend} had a birthday, and {hero} wanted to bring a present.
- But {hero} had no money. "I cannot buy anything," {he hero} said.
| But {hero} did not have any money for a present and was sad.
- "Then make something," said {helper}. "That is even better."
| "The best present comes from the heart," said {helper}.
--
- {Hero} thought for a long time. Then {present.made}.
| That was a good idea! {Hero} thought for a while. Then {present.made}.
? It was a lot of work, but at last it was done.
| It was not easy, but {hero} did not give up.
- At the party, {friend} got many things. Then {hero} gave {him friend} the present.
| "Happy birthday, {friend}!" said {hero} at the party. "I made {present} for you."
- "{Present}! It is the best present of all," said {friend}.
| {Friend} was so happy. "You made {present} just for me?" asked {friend}.
? They [danced|laughed] and ate cake, and {hero} was as happy as {friend}.
| Then {friend} gave {hero} a big hug and the first piece of cake.
? {Friend} never forgot the present from {hero}.
| "{Helper} was right," thought {hero}.

plot try again
cast hero:child, friend:child, helper:grownup
- {opening}
- There was one thing {he hero} wanted to learn: how to {skill}.
| All {his hero} friends could {skill}. {Hero} wanted to do it, too.
- One [sunny |cold |windy |]day, {hero} tried it, but {skill.fall}.
| [After lunch|After school|One morning|The next day], {he hero} went out to try. But {skill.fall}.
? "I will never learn it!" cried {hero}.
| "It is too hard for me," said {hero} and wanted to go home.
--
- "I could not do it at first," said {his hero} friend {friend}. "You just have to try again."
| {Helper} smiled. "Try again, and I will help you."
- {skill.again}. "Do not stop! You can do it!" called {helper}.
| {skill.again}, and {helper} stayed close to {him hero}.
? It went wrong two more times, but {hero} did not give up.
| It was a little better this time. {Hero} tried again and again.
- And then it worked! {skill.done}.
| At last, {he hero} did it! {skill.done}.
- "I can {skill}!" {he hero} called, and they all clapped.
| "Look, I can {skill}!" called {hero}. {Helper} was very proud.
- {ending}
| Now {hero} could {skill}, and {he hero} did it every day.

plot the little bird
cast hero:child, helper:grownup
- {opening}
- One [cold|windy] [morning|evening], {he hero} found a little {colour} bird under a tree.
| One day in the [garden|park], {hero} saw a little {colour} bird in the grass.
- The bird had a broken wing and could not fly.
| It could not fly because its wing was hurt.
? "Poor little bird! I will help you," said {hero}.
| "Do not be scared," said {hero} in a quiet voice.
- {He hero} took the bird home in {his hero} [hat|coat|basket] and called it {birdname}.
| With care, {he hero} carried the bird home and named it {birdname}.
--
? {Helper} found a box, and they put some soft grass in it.
| Together they made a soft bed for the bird in a box.
? Every day, {hero} gave {birdname} water and [seeds|bread|berries].
| {Hero} fed the bird every morning and sang to it every night.
- After some time, the wing was well again, and the bird wanted to fly.
| Soon the bird could move its wing and began to sing.
- {Hero} opened the window. "Fly, {birdname}!" {he hero} said with a tear in {his hero} eye.
| "Now it is time to say goodbye," said {helper}. They let the bird fly into the sky.
- {Hero} was sad at first. But the next morning, {birdname} sat at the window and sang.
| From then on, {birdname} came to the window every day and sang for {hero}.
)";
}

}  // namespace smoe
