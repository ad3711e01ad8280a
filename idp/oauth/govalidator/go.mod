// Module govalidator stands in for the module of this name, of which fosite uses one function, and which compiles some ninety
// regular expressions whenever a program starts: a third of our start, and a megabyte. See the replace line of the program's
// go.mod.
module github.com/asaskevich/govalidator

go 1.26.0
