package bench

import (
	"math"
	"strings"
	"time"
)

// Common names of people in the United Kingdom, roughly the most common first. Beside the family names there are those that a
// stem and an ending make, as the many rare ones do, so that a search for one finds its like and not everybody.
const (
	givenNames = `David Sarah James Susan Paul Emma John Margaret Michael Claire Andrew Karen Mark Nicola Peter Julie Stephen Rachel Christopher Rebecca
		Robert Laura Richard Helen Matthew Elizabeth Thomas Amanda Daniel Jennifer William Mary Simon Louise Jonathan Catherine Kevin Lisa Philip Victoria
		Joshua Charlotte Jack Hannah Oliver Sophie George Amy Samuel Lucy Adam Katie Benjamin Jessica Alexander Anna Ryan Samantha Luke Gemma Lee Kelly Jamie
		Natalie Anthony Joanne Gary Alison Ian Jacqueline Martin Deborah Neil Tracey Graham Angela Stuart Lesley Craig Fiona Nigel Heather Scott Lorraine
		Mohammed Fatima Muhammad Aisha Ahmed Maryam Ali Zainab Hassan Khadija Ibrahim Amina Omar Safia Bilal Nadia Rajesh Priya Sanjay Anjali Amit Kavita
		Harpreet Gurpreet Jaspreet Manpreet Arjun Deepa Vikram Meera Suresh Lakshmi Chidi Ngozi Emeka Adaeze Kwame Abena Tunde Folake Oluwaseun Chiamaka Ade Yetunde
		Piotr Agnieszka Krzysztof Katarzyna Tomasz Małgorzata Andrzej Magdalena Paweł Joanna Rhys Siân Gareth Bethan Huw Carys Dylan Angharad Owain Ffion Ieuan
		Nerys Geraint Megan Eilidh Hamish Isla Callum Mairi Fergus Catriona Angus Morag Ruaridh Siobhán Patrick Aoife Declan Niamh Conor Róisín Seán Orla Brendan
		Maria José Ana João Giulia Marco Elena Andreea Ionuţ Ștefan Wei Mei Xin Jun Ling Grace Joy Blessing Rosario Maricel Jomar Anselm Perpetua Bartholomew Octavia`
	familyNames = `Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Johnson Roberts Robinson Thompson Wright Walker White Edwards Hughes Green Hall Lewis
		Harris Clarke Patel Jackson Wood Turner Martin Cooper Hill Ward Morris Moore Clark Lee King Baker Harrison Morgan Allen James Scott Phillips Watson Davis
		Parker Price Bennett Young Griffiths Mitchell Kelly Cook Carter Richardson Bailey Collins Bell Shaw Murphy Miller Cox Richards Khan Marshall Anderson
		Simpson Ellis Adams Singh Begum Wilkinson Foster Chapman Powell Webb Rogers Gray Mason Ali Hunt Hussain Campbell Matthews Owen Palmer Holmes Mills Barnes
		Knight Lloyd Butler Russell Barker Fisher Stevens Jenkins Murray Dixon Harvey Graham Pearson Ahmed Fletcher Walsh Kaur Gibson Howard Andrews Stewart Elliott
		Reynolds Saunders Payne Fox Ford Pearce Day Brooks West Lawrence Cole Atkinson Bradley Spencer Gill Dawson Watts Burton O’Brien Rees Barrett Hart Mahmood
		Akhtar Hayes O’Connor O’Neill Francis Perry Carr Booth Rose Sutton Shah Chambers Armstrong MacDonald McDonald Fraser Ross Henderson Paterson Ferguson Cameron
		Sharma Kumar Gupta Chowdhury Rahman Islam Miah Malik Iqbal Okafor Adeyemi Okonkwo Mensah Boateng Owusu Nkosi Abdi Mohamud Hassan Osman Nowak Kowalski
		Wiśniewski Wójcik Lewandowski Kamiński Zieliński Szymański Popescu Ionescu Santos Silva Ferreira Costa Reyes Cruz Bautista Garcia Wong Chan Li Zhang Chen Nguyen
		Llewellyn Prytherch Gwynne Pugh Bowen Probert MacKenzie MacLeod McIntyre Urquhart Farquharson Fitzgerald Gallagher Doherty Vouchsafe Featherstonehaugh`
	stems = `Ash Ald Ather Back Bal Barn Beck Ber Black Bol Brad Bram Bright Brock Bur Byr Cal Cart Chad Charl Chester Clif Col Copp Cran Crow Dal Den Der Dun East
		Edge El Fair Farn Fen Fin Gar Glad Green Grim Had Hal Ham Har Hart Hather Hay Heath Hep Her High Hol Hor Hux Ing Ken Kil Lam Lang Law Leigh Lind Lock
		Long Lud Mar May Mel Mer Mid Mil Nash Nether New Nor Oak Ol Or Pad Pem Pen Pil Pres Rad Ram Red Rod Roth Row Rush San Sel Shel Shir Sil Skel Stan Stock
		Sum Sut Swin Tad Thorn Til Tre Tun Twy Up Wad Wal War Wat Wel West Whit Wil Win Wood Wor Wy Yar`
	endings = `ford ton ley worth well wood field ham by thorpe bury shaw bridge brook combe cote croft dale den don gate grave hurst land low man mere minster mond
		more ridge sley son stead stone stow ter wick wold yard`
)

// names are those that people of the population have.
type names struct{ given, family []string }

func newNames() names {
	n := names{given: strings.Fields(givenNames), family: strings.Fields(familyNames)}
	for ending := range strings.FieldsSeq(endings) {
		for stem := range strings.FieldsSeq(stems) {
			n.family = append(n.family, stem+ending)
		}
	}
	return n
}

// of is the name of a person: of a hundred some two are called by the most common name.
func (n names) of(person int) (given, family string) {
	return n.given[ranked(draw(person, 1), len(n.given), 15)], n.family[ranked(draw(person, 2), len(n.family), 12)]
}

// born is on a day of those on which people are born who work now.
func born(person int) time.Time {
	first := time.Date(1957, time.January, 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, int(draw(person, 3)*50*365))
}

// ranked makes a number from 0 up to 1 one of so many ranks, by the law of Zipf and Mandelbrot: the first are drawn most, and the
// more so the smaller flat is.
func ranked(u float64, ranks int, flat float64) int {
	return int(flat*math.Pow((float64(ranks)+flat)/flat, u) - flat)
}

// draw is a number from 0 up to 1 that is the same for a person and purpose whenever it is drawn: SplitMix64.
func draw(person, purpose int) float64 {
	x := (uint64(person)<<8 | uint64(purpose)) * 0x9e3779b97f4a7c15 //nolint:gosec // neither is negative
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}
