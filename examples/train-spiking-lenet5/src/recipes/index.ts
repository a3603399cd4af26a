export { augmentationOf, type Recipe } from './recipe.ts'
export { RECIPES, recipeNamed } from './recipes.ts'
