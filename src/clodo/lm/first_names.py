"""First names that people are often called by, for finding personal names in a text. Names that are everyday words of English
too (Will, Rose, May, Mark) are left out: they are found only beside a title or a cue."""

_NAMES = """
    aaron abdul abdullah abigail adam adrian agnes ahmad ahmed aisha akira alan albert alberto alejandro alessandro alex alexander
    alexandra alexei alfred ali alice alicia alina alison allison amanda amelia amina amir amit amy ana anders andrea andreas
    andrei andrew angela angelo anil anita anjali ann anna anne annie anton antonio anya arjun arthur asha ashley astrid audrey
    barbara beatrice ben benjamin bernard beth bjorn bob boris brandon brenda brian bridget bruce bruno camille carla carlos
    carmen carol caroline catherine cecilia chantal charles charlotte chen chiara chloe chris christian christina christine
    christoph christopher claire clara claudia colin connor craig cynthia dan daniel daniela danielle darren dave david deborah
    deepak denis dennis derek diana diego dieter dimitri dmitri dominic donald donna doris dorothy douglas duncan edith eduardo
    edward eileen elena eleanor elias elif elisabeth elizabeth ella ellen emily emma emre enrique eric erik erika esther ethan
    eugene eva evelyn fatima fatma felix fernando fiona florian frances francesca francesco francis francisco franz frederick
    friedrich fritz gabriel gabriela gareth gary geoffrey george gerald gerhard gianni gideon gina giovanni giulia giuseppe
    gloria gordon graham greg gregory greta guillermo gunther gustav hamza hannah hans haruto hassan heather heidi heinrich helen
    helena helga henrik henry herbert hiroshi howard hugo hussein ian ibrahim igor ines ingrid irene irina isabel isabella ivan
    jacob jacqueline jacques jakub james jamie jan jana jane janet janine jasmine jason javier jean jeff jeffrey jennifer jenny
    jeremy jessica jesus jill jim jin joan joanna joe joel johan johannes john johnny jonas jonathan jorge jose josef joseph
    joshua joyce juan juanita judith juergen jurgen julia julian julie julien justin kai kamil karen karin karl kate katerina
    katharina katherine kathleen katie kavita keith kelly kenji kenneth kevin khadija khalid kim klara klaus kofi krzysztof
    kumar kurt kwame laila lakshmi lars laszlo laura lauren laurent leah lena leo leon leonard leonardo leslie li liam lily linda
    lisa liu lorenzo louis louise luca lucas lucia lucja luigi luis luisa lukas lukasz luke lydia magda magdalena mahmoud malcolm malik
    manuel manuela marco marcos marcus margaret margit maria mariam marie marina mario marion marta martha martin martina mary
    maryam mateo mateusz matteo matthew matthias maureen max maximilian megan mehmet mei melanie melissa mia michael michal
    michel michele michelle miguel mike milan mohamed mohammad mohammed monica monika muhammad mustafa nadia nancy naomi natalia
    natalie natasha nathan neha neil nguyen nicholas nick nicola nicolas nicole niels nikhil nikita nikolai nina noah noor nora
    norman olaf oleg olga oliver olivia omar oscar oskar otto owen pablo paola paolo patricia patrick paul paula paulina pavel
    pedro peter petra philip philipp phillip pierre piotr pooja prakash priya rachel rafael rahul raj rajesh ralph ramon ravi
    raymond rebecca reinhard renate ricardo richard rita robert roberto roger rohan roland ronald rosa rosemary roy rudolf ruth
    ryan sabine salma sam samantha samir samuel sandra sanjay sara sarah sasha scott sean sebastian selma serena sergei sergio
    shannon sharon sheila shirley silvia simon simone sofia sonia sophia sophie stefan stefanie stella stephanie stephen steve
    steven stuart sunita susan susanne suzanne svetlana sven sylvia takashi tamara tania tanya tatiana ted teresa theo theodore
    theresa thomas tim timothy tobias tom tomas tomasz tony tracy tyler ulrich ursula valentina valeria vanessa vera veronica
    victor victoria vijay vikram vincent viola virginia vivian vladimir walter wang wei wendy werner wilhelm william wolfgang
    xavier yasmin yolanda yuki yuri yusuf yvonne zahra zainab zhang zoe zoltan zsofia
"""

FIRST_NAMES = frozenset(_NAMES.split())
